"""Registering apps: nobody lets an app do what they may not do themselves."""

from collections.abc import Mapping
from typing import Any

from tenants.access.caller import Caller, acting
from tenants.access.permissions import Reach, registered
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.identifiers import new_token, token_hash
from tenants.identity.oauth.ending import disconnect
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.redirects import check_redirect_uris
from tenants.identity.oauth.tokens import SECRET_PREFIX, active_user
from tenants.isolation.door import here


def check_client(client: OAuthClient, said: Mapping[str, Any]) -> None:
    """Raises Invalid for an app that leads people astray, or lets somebody do what they may not do themselves.

    That is asked with every change: whoever decides where an app leads, or has its secret, has what it can do.
    """
    check_redirect_uris(client.redirect_uris, confidential=client.confidential)
    if not client.redirect_uris and client.user_id is None:
        raise Invalid(
            errors={"redirect_uris": ["People connect an app by way of one; or give it a user_id."]}
        )
    if client.user_id is not None and not client.confidential:
        raise Invalid(errors={"user_id": ["Only an app with a secret can act by itself."]})
    check_scopes(client, acting().caller)
    if said.get("user_id") and active_user(said["user_id"]) is None:
        raise Invalid(errors={"user_id": ["There is no such record."]})


def check_scopes(client: OAuthClient, caller: Caller) -> None:
    """Raises Invalid that names each scope which this caller may not let an app have."""
    wrong = {name: why for name in client.scopes if (why := _objection(client, name, caller))}
    if wrong:
        raise Invalid(errors={"scopes": [f"'{name}': {why}" for name, why in sorted(wrong.items())]})


def _objection(client: OAuthClient, scope: str, caller: Caller) -> str | None:
    known = registered().get(scope)
    if known is None or caller.reach(scope) is None:
        return "You don't have this yourself."
    if known.people_only:
        return "Only people may do this."
    if client.user_id not in (None, caller.user_id) and not _whole(caller, scope):
        return "To let an app do this as somebody else, you need it over everything."
    return None


def _whole(caller: Caller, scope: str) -> bool:
    """Whether nobody can have more of this permission than the caller has."""
    resource = scope.partition(":")[0]
    closed = any(rules.get(resource) for rules in (caller.hidden, caller.masked, caller.fixed))
    return caller.reach(scope) is Reach.ALL and not closed


def give_secret(client: OAuthClient) -> str | None:
    """A new secret in place of the one before; a public app has none."""
    if not client.confidential:
        return None
    secret = new_token(SECRET_PREFIX, here().home.id)
    client.secret_hash, client.secret_hint = token_hash(secret), secret[-4:]
    return secret


def renew_secret(client: OAuthClient) -> str:
    """Raises Conflict for a public app, Invalid for one that can do more than the caller."""
    check_scopes(client, acting().caller)
    secret = give_secret(client)
    if secret is None:
        raise Conflict("A public app has no secret.", code="public_app")
    return secret


def after_change(client: OAuthClient, said: Mapping[str, Any]) -> None:
    """An app that acts as somebody else now, or no longer by itself, starts again."""
    if "user_id" in said:
        disconnect(client, "registration_changed", of_registration=True)
