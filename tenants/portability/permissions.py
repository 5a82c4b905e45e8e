"""What a caller may be allowed with whole-tenant exports."""

from tenants.access.permissions import permission

READ_EXPORTS = permission("exports:read", "See exports of the whole workspace, and download them")
CREATE_EXPORTS = permission("exports:create", "Export the whole workspace", step_up=True, always=True)
DELETE_EXPORTS = permission("exports:delete", "Remove exports before they expire", always=True)
