"""What a caller may be allowed with attachments, on top of what they may do with the record itself."""

from tenants.access.permissions import permission

READ_ATTACHMENTS = permission("attachments:read", "See and download the files of records that one sees")
EDIT_ATTACHMENTS = permission(
    "attachments:edit", "Add, rename and remove files of records that one may change"
)
