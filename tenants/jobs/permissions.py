"""What a caller may be allowed with jobs."""

from tenants.access.permissions import permission

READ_JOBS = permission("jobs:read", "See what is being done, and how far it is")
RELEASE_JOBS = permission("jobs:release", "Let work go on that was held in a copy of the tenant")
CANCEL_JOBS = permission("jobs:cancel", "Cancel what is being done", always=True)
