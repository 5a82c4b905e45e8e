"""What a caller may be allowed with whole-tenant exports."""

from tenants.access.permissions import permission

READ_EXPORTS = permission("exports:read", "See exports of the whole workspace, and download them")
CREATE_EXPORTS = permission("exports:create", "Export the whole workspace", step_up=True, always=True)
APPROVE_EXPORTS = permission(
    "exports:approve", "Approve or refuse the exports of others", people_only=True, step_up=True
)
EDIT_EXPORT_RULES = permission(
    "exports:rule", "Say whether exports need a second person's word", people_only=True, step_up=True
)
READ_SCHEDULES = permission("export-schedules:read", "See which exports are made again and again")
CREATE_SCHEDULES = permission("export-schedules:create", "Have exports made again and again", step_up=True)
EDIT_SCHEDULES = permission("export-schedules:edit", "Change scheduled exports", step_up=True)
DELETE_SCHEDULES = permission("export-schedules:delete", "End scheduled exports")
DELETE_EXPORTS = permission("exports:delete", "Remove exports before they expire", always=True)
