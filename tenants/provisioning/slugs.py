"""What a tenant may be called in addresses."""

import re

from tenants.foundation.errors import Invalid

SLUG = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
RULE = "3 to 63 small letters, digits and hyphens, a letter first and no hyphen last."
RESERVED = frozenset(
    {"admin", "api", "app", "catalog", "freehold", "help", "mail", "staff", "status", "support", "www"}
)


def checked_slug(slug: str) -> str:
    """The slug itself. Raises Invalid when it can't be one, or is kept for ourselves."""
    if not SLUG.fullmatch(slug):
        raise Invalid(f"'{slug}' can't be a tenant's name in addresses: {RULE}", errors={"slug": [RULE]})
    if slug in RESERVED:
        raise Invalid(f"'{slug}' is reserved.", errors={"slug": ["This name is reserved."]})
    return slug
