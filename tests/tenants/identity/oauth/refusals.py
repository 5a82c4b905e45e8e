"""What a refusal looks like, and codes and tokens changed behind the program's back."""

from typing import Any

from sqlalchemy import select, update

from tenants.catalog.registry import Home
from tenants.foundation.identifiers import token_hash
from tenants.identity.oauth.models import ConnectedApp, OAuthToken
from tenants.isolation.door import db, inside

EVIL = "https://evil.example.test/back"
TOKENS = OAuthToken.__table__
APPS = ConnectedApp.__table__


def change_token(home: Home, secret: str, **values: Any) -> None:
    with inside(home):
        db().execute(update(TOKENS).where(TOKENS.c.hash == token_hash(secret)).values(**values))


def change_app(home: Home, secret: str, **values: Any) -> None:
    with inside(home):
        app_id = select(TOKENS.c.connected_app_id).where(TOKENS.c.hash == token_hash(secret))
        db().execute(update(APPS).where(APPS.c.id == app_id.scalar_subquery()).values(**values))


def refusal(answer) -> tuple[int, str]:
    """Status and word of a refusal in the form of RFC 6749, which holds nothing that was sent."""
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json.keys() <= {"error", "error_description"}
    return answer.status_code, answer.json["error"]


def held_back(answer) -> bool:
    """Whether the answer is a page, and leads nowhere."""
    return (
        answer.status_code == 400
        and answer.content_type.startswith("text/html")
        and "Location" not in answer.headers
        and EVIL not in answer.get_data(as_text=True)
    )
