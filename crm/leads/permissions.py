"""What a caller may be allowed with leads."""

from tenants.access.permissions import permission

READ_LEADS = permission("leads:read", "See leads")
CREATE_LEADS = permission("leads:create", "Add leads")
EDIT_LEADS = permission("leads:edit", "Change leads, disqualify and reopen them")
DELETE_LEADS = permission("leads:delete", "Delete leads")
CONVERT_LEADS = permission("leads:convert", "Convert leads to contacts, companies and deals")
