"""What users of a tenant may do about the tenant as a whole."""

from tenants.access.permissions import permission

READ_LIFECYCLE = permission("lifecycle:read", "See what became of the workspace as a whole, and why")
