"""What we are to a provider, and the library that speaks to it in our name."""

from dataclasses import dataclass
from uuid import UUID

from authlib.integrations.requests_client import OAuth2Session
from sqlalchemy import select

from tenants.catalog.registry import Home
from tenants.foundation.errors import NotFound
from tenants.identity.single_sign_on.discovery import Metadata
from tenants.identity.single_sign_on.exclusive import in_use
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.identity.single_sign_on.transport import ThroughTheDoor
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened

SCOPE = "openid email profile"


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to a provider, copied out of the tenant, so that no transaction waits for strangers."""

    home: Home
    provider_id: UUID
    issuer: str
    client_id: str
    secret: str
    callback: str

    def session(self, metadata: Metadata) -> OAuth2Session:
        """Authlib's client, whose requests go through the door."""
        made = OAuth2Session(
            self.client_id,
            self.secret,
            scope=SCOPE,
            redirect_uri=self.callback,
            token_endpoint_auth_method=metadata.authentication,
            code_challenge_method="S256",
        )
        made.trust_env = False  # no proxy and no password of the machine's
        for scheme in ("https://", "http://"):
            made.mount(scheme, ThroughTheDoor())
        return made


def client_of(home: Home, provider_id: UUID, callback: str) -> Client:
    """A provider of this tenant that can be used. Raises NotFound."""
    with inside(home):
        query = select(IdentityProvider).where(IdentityProvider.id == provider_id, *in_use())
        found = db().scalars(query).one_or_none()
        if found is None:
            raise NotFound
        secret = opened(found, "client_secret") or ""
        return Client(home, found.id, found.issuer, found.client_id, secret, callback)
