"""What signing in takes, and how sessions and second factors look in JSON."""

from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.http.representation import BodySchema, Timestamp
from tenants.http.texts import no_nul
from tenants.identity.signing_in.strength import LONGEST, SHORTEST

TOKEN = validate.Length(1, 200)

LONGEST_DAYS = 3650


def _address() -> fields.String:
    return fields.String(required=True, validate=[validate.Length(3, 254), no_nul])


def _code() -> fields.String:
    return fields.String(validate=validate.Length(6, 10))


def _passkey() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), metadata={"description": "As `PublicKeyCredential.toJSON()` gives it."}
    )


def exactly_one(said: dict[str, Any], *names: str) -> None:
    """Raises marshmallow's ValidationError unless one of these is said."""
    if sum(bool(said.get(name)) for name in names) != 1:
        raise marshmallow.ValidationError(f"Say one of: {', '.join(names)}.", names[0])


class SignInBody(BodySchema):
    """`tenant` (its slug) is needed only when one address and password open several."""

    email = _address()
    password = fields.String(required=True, validate=validate.Length(1, LONGEST))
    tenant = fields.String(validate=[validate.Length(1, 63), no_nul])


class SecondFactorBody(BodySchema):
    """The ticket that the password gave, and one of the others."""

    ticket = fields.String(required=True, validate=TOKEN)
    code = _code()
    recovery_code = fields.String(validate=validate.Length(8, 40))
    passkey = _passkey()

    @marshmallow.validates_schema
    def _one(self, said: dict[str, Any], **_options: Any) -> None:
        exactly_one(said, "code", "recovery_code", "passkey")


class PasskeyBody(BodySchema):
    """What `navigator.credentials.get` gave."""

    passkey = fields.Dict(keys=fields.String(), required=True)


class ConfirmationBody(BodySchema):
    """One thing that shows who I am."""

    password = fields.String(validate=validate.Length(1, LONGEST))
    code = _code()
    passkey = _passkey()

    @marshmallow.validates_schema
    def _one(self, said: dict[str, Any], **_options: Any) -> None:
        exactly_one(said, "password", "code", "passkey")


class SignedInAnswer(marshmallow.Schema):
    """The session is in a cookie; `csrf_token` goes into X-CSRF-Token of every request that changes something."""

    csrf_token = fields.String(required=True)
    email_verified = fields.Boolean()


class HalfDoneSchema(marshmallow.Schema):
    """The password was right: show a second factor with the ticket, within five minutes and five tries."""

    ticket = fields.String(required=True)
    methods = fields.List(fields.String(), required=True)
    passkey = fields.Dict(allow_none=True, metadata={"description": "For `navigator.credentials.get`."})


class OptionsSchema(marshmallow.Schema):
    """What `navigator.credentials` takes, once `PublicKeyCredential.parse…FromJSON` has read it."""

    options = fields.Dict(required=True)


class SessionSchema(marshmallow.Schema):
    """A browser that is signed in; `current` is the one that asks."""

    id = fields.UUID(required=True)
    user_id = fields.UUID()
    method = fields.String()
    strong = fields.Boolean()
    current = fields.Boolean()
    created_at = Timestamp()
    last_seen_at = Timestamp()
    expires_at = Timestamp()
    address = fields.String(allow_none=True)
    place = fields.String(allow_none=True, metadata={"example": "Vienna, Austria"})
    device = fields.String(allow_none=True)


class AuthenticatorBody(BodySchema):
    """A new second factor; it is good once it was confirmed by its first use."""

    kind = fields.String(required=True, validate=validate.OneOf(["totp", "passkey"]))
    name = fields.String(required=True, validate=[validate.Length(1, 100), no_nul])


class AuthenticatorPatch(BodySchema):
    name = fields.String(required=True, validate=[validate.Length(1, 100), no_nul])


class FirstUseBody(BodySchema):
    """A code of the app, or what `navigator.credentials.create` gave."""

    code = _code()
    passkey = _passkey()

    @marshmallow.validates_schema
    def _one(self, said: dict[str, Any], **_options: Any) -> None:
        exactly_one(said, "code", "passkey")


class AuthenticatorSchema(marshmallow.Schema):
    """A second factor or passkey of mine."""

    id = fields.UUID(required=True)
    kind = fields.String()
    name = fields.String()
    created_at = Timestamp()
    confirmed_at = Timestamp(allow_none=True)
    last_used_at = Timestamp(allow_none=True)


class SettingUpSchema(AuthenticatorSchema):
    """With what its app (`secret`, `uri`) or browser (`options`) needs; never shown again."""

    secret = fields.String(allow_none=True)
    uri = fields.String(allow_none=True)
    options = fields.Dict(allow_none=True)


class ConfirmedSchema(AuthenticatorSchema):
    """The session is a strong one now, in a new cookie."""

    csrf_token = fields.String(required=True)


class RecoveryCodesSchema(marshmallow.Schema):
    """Ten codes that open once each; never shown again."""

    codes = fields.List(fields.String(), required=True)


class RecoveryCodesLeftSchema(marshmallow.Schema):
    left = fields.Integer(required=True)


class AddressBody(BodySchema):
    email = _address()


class ResetBody(BodySchema):
    token = fields.String(required=True, validate=TOKEN)
    password = fields.String(required=True, validate=validate.Length(SHORTEST, LONGEST))


class RedemptionBody(BodySchema):
    token = fields.String(required=True, validate=TOKEN)


class PasswordBody(BodySchema):
    password = fields.String(required=True, validate=validate.Length(SHORTEST, LONGEST))


class RulesBody(BodySchema):
    """What to ask of everybody. `api_key_max_days` null is no limit; left out, it stays as it was."""

    mfa_required = fields.Boolean(required=True)
    api_key_max_days = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, LONGEST_DAYS))


class RulesSchema(marshmallow.Schema):
    """`without_second_factor` are the users who have to set one up once it is required."""

    mfa_required = fields.Boolean(required=True)
    api_key_max_days = fields.Integer(required=True, allow_none=True)
    without_second_factor = fields.List(
        fields.Nested(
            marshmallow.Schema.from_dict(
                {"id": fields.UUID(), "name": fields.String()}, name="WithoutFactorSchema"
            )
        ),
        required=True,
    )
