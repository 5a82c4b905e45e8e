"""How providers, claimed domains and ways to sign in look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import Pattern
from tenants.identity.single_sign_on.models import PROVIDER_STATES, ClaimedDomain, IdentityProvider
from tenants.identity.single_sign_on.own_paths import LONGEST

#: A registered name of letters, digits and hyphens (RFC 1123), international ones in their ASCII form.
DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$"
TEXT = r"^[\x21-\x7e]+$"
PRINTABLE = r"^[\x20-\x7e]+$"


class IdentityProviderSchema(RecordSchema):
    """An OpenID provider that people sign in with; its secret is never shown."""

    name = fields.String(required=True)
    issuer = fields.String(required=True)
    client_id = fields.String(required=True)
    state = fields.String(validate=validate.OneOf(PROVIDER_STATES))
    default_role_id = fields.UUID(allow_none=True)
    strong_acr = fields.String(allow_none=True)
    sso_only = fields.Boolean()
    break_glass_id = fields.UUID(allow_none=True)


class IdentityProviderBody(BodySchema):
    """What may be said of a provider.

    `issuer` is asked at once what it is like. `sso_only` needs `break_glass_id`, an admin with a second factor who may
    still sign in with a password.
    """

    name = fields.String(required=True, validate=validate.Length(1, 100))
    issuer = fields.String(required=True, validate=[validate.Length(1, 500), Pattern(TEXT)])
    client_id = fields.String(required=True, validate=[validate.Length(1, 500), Pattern(TEXT)])
    client_secret = fields.String(
        required=True, load_only=True, validate=[validate.Length(1, 1000), Pattern(PRINTABLE)]
    )
    state = fields.String(validate=validate.OneOf(PROVIDER_STATES))
    default_role_id = fields.UUID(allow_none=True)
    strong_acr = fields.String(allow_none=True, validate=validate.Length(1, 200))
    sso_only = fields.Boolean()
    break_glass_id = fields.UUID(allow_none=True)


class ClaimedDomainSchema(RecordSchema):
    """A domain, and the value of the TXT record at `_freehold.<domain>` that proves it is the tenant's."""

    domain = fields.String(required=True)
    proof = fields.String()
    verified_at = Timestamp(allow_none=True)
    missing_since = Timestamp(allow_none=True)


class ClaimedDomainBody(BodySchema):
    """A domain to claim."""

    domain = fields.String(required=True, validate=[validate.Length(4, 190), Pattern(DOMAIN)])


class SignInMethodsBody(BodySchema):
    """Whose ways to sign in: only the domain of the address is looked at."""

    email = fields.Email(required=True, validate=validate.Length(3, 254))


class SignInMethodSchema(marshmallow.Schema):
    """Somewhere to sign in; `exclusive` where the workspace takes nothing else."""

    name = fields.String(required=True)
    url = fields.String(required=True)
    exclusive = fields.Boolean(required=True)


class SignInMethodsSchema(marshmallow.Schema):
    """Where people with addresses of this domain sign in; none when nobody claimed it."""

    single_sign_on = fields.List(fields.Nested(SignInMethodSchema), required=True)


class DepartureQuery(marshmallow.Schema):
    """`next` is a path of this site to come back to; `confirm` asks the person to show who they are again."""

    class Meta:
        unknown = marshmallow.EXCLUDE

    next = fields.String(load_default="/", validate=validate.Length(1, LONGEST))
    confirm = fields.Boolean(load_default=False)


IDENTITY_PROVIDERS = Resource("identity-providers", IdentityProvider, IdentityProviderSchema(), sort="name")
CLAIMED_DOMAINS = Resource("claimed-domains", ClaimedDomain, ClaimedDomainSchema(), sort="domain")
