"""What a caller may be allowed with pipelines, stages and deals."""

from tenants.access.permissions import permission

READ_PIPELINES = permission("pipelines:read", "See pipelines")
CREATE_PIPELINES = permission("pipelines:create", "Add pipelines")
EDIT_PIPELINES = permission("pipelines:edit", "Change pipelines")
DELETE_PIPELINES = permission("pipelines:delete", "Delete pipelines")
READ_STAGES = permission("stages:read", "See the stages of pipelines")
CREATE_STAGES = permission("stages:create", "Add stages to pipelines")
EDIT_STAGES = permission("stages:edit", "Change stages")
DELETE_STAGES = permission("stages:delete", "Delete stages")
READ_DEALS = permission("deals:read", "See deals")
CREATE_DEALS = permission("deals:create", "Add deals")
EDIT_DEALS = permission("deals:edit", "Change deals and move them from stage to stage")
DELETE_DEALS = permission("deals:delete", "Delete deals")
CLOSE_DEALS = permission("deals:close", "Close deals as won or lost, and reopen them")
