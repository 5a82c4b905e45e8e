"""Sign-up: a new tenant, its first admin, and a session, in one request."""

from typing import Any

import marshmallow
from flask import Response, current_app, jsonify, make_response, request
from marshmallow import fields, validate

from tenants.access.permissions import ANYONE
from tenants.foundation.errors import Invalid
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.http.representation import BodySchema
from tenants.http.texts import Pattern
from tenants.identity.founding import Founder
from tenants.identity.models import User
from tenants.identity.recognition import csrf_token
from tenants.identity.signing_in.cookies import set_cookie
from tenants.identity.signing_in.opening import begin_session
from tenants.identity.signing_in.recovery import mail_verification
from tenants.identity.signing_in.strength import LONGEST, SHORTEST, must_be_strong
from tenants.isolation.door import db, inside
from tenants.provisioning.slugs import RULE, SLUG, checked_slug

signup = Blueprint("signup", __name__, url_prefix="/signup", purpose=Purpose.ACCOUNT)


class SignupBody(BodySchema):
    """A new customer and its first admin."""

    company = fields.String(required=True, validate=validate.Length(1, 200))
    slug = fields.String(
        required=True,
        validate=Pattern(f"^{SLUG.pattern}$", error=RULE),
    )
    name = fields.String(required=True, validate=validate.Length(1, 200))
    email = fields.Email(required=True, validate=validate.Length(max=254))
    password = fields.String(required=True, validate=validate.Length(SHORTEST, LONGEST))
    region = fields.String(
        validate=validate.Length(1, 31),
        metadata={
            "description": "The region that everything of this tenant stays in. Without one, anywhere."
        },
    )


class SignupSchema(marshmallow.Schema):
    """The new tenant; the session is in a cookie. A mail asks whether the address is theirs."""

    tenant = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    user = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    csrf_token = fields.String(required=True)
    email_verified = fields.Boolean(required=True)


@signup.post("", may=ANYONE)
@signup.takes(SignupBody())
@signup.response(201, SignupSchema)
def sign_up(said: dict[str, Any]) -> Response:
    """Open a new tenant and sign in as its first admin."""
    house, nursery = the_house(), current_app.extensions["nursery"]
    house.limits.hit(
        (Allowance("signup", house.settings.signups_per_hour_address, 3600), request.remote_addr or "")
    )
    checked_slug(said["slug"])
    if nul := [name for name, value in said.items() if "\0" in value]:
        raise Invalid(errors={name: ["A NUL character can't be stored."] for name in nul})
    must_be_strong(said["password"], [said["name"], said["email"], said["company"], said["slug"]])
    founder = Founder(said["name"], said["email"], said["password"])
    home, founding = nursery.open(said["slug"], said["company"], founder, region=said.get("region"))
    with inside(home):
        user = db().get_one(User, founding.user_id)
        token = begin_session(house.settings, user, method="password")
        mail_verification(user)
    made = {
        "tenant": {"id": str(home.id), "slug": said["slug"], "name": said["company"]},
        "user": {"id": str(founding.user_id), "name": said["name"], "email": said["email"]},
        "csrf_token": csrf_token(token),
        "email_verified": False,
    }
    response = make_response(jsonify(made), 201)
    set_cookie(house, response, token)
    return response
