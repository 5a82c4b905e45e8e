"""Where an app may have people sent back to: which redirect URIs can be registered, and which request fits one."""

import re
from urllib.parse import urlsplit

from tenants.foundation.errors import Invalid

LONGEST, MOST = 500, 20
#: Native apps listen on whichever port is free (RFC 8252, 7.3). `localhost` may lead elsewhere, so it is not here.
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[^\s\\#]*)?")
#: An app's own scheme is its domain backwards (RFC 8252, 7.1).
PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^\s\\#]*")
HTTPS = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[^\s\\#]*)?")
OURS = re.compile(r"[?&](code|state|iss|error)(=|&|$)")
RULE = (
    "Give https://… in lower case, or for a public app http://127.0.0.1/… or its own scheme such as com.example.app:/…;"
    " without a fragment, a user name, or parameters that we send."
)


def leads_there(registered: str, asked: str, *, native: bool) -> bool:
    """Whether a request may lead to `asked`: character by character, apart from the port of a native app's loopback."""
    if registered == asked:
        return True
    one, other = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(asked)
    return native and one is not None and other is not None and one.groups() == other.groups()


def check_redirect_uris(uris: list[str], *, confidential: bool) -> None:
    """Raises Invalid for one that could lead people astray."""
    if any(not _usable(each, confidential=confidential) for each in uris):
        raise Invalid(errors={"redirect_uris": [RULE]})


def source_of(uri: str) -> str:
    """The origin of a redirect URI as a Content-Security-Policy names it; its scheme where there is no name for it."""
    parts = urlsplit(uri)
    return (
        f"{parts.scheme}://{parts.netloc}" if parts.netloc and "[" not in parts.netloc else f"{parts.scheme}:"
    )


def _usable(uri: str, *, confidential: bool) -> bool:
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set("\"'<>*;,")
    known = HTTPS.fullmatch(uri) or (
        not confidential and (LOOPBACK.fullmatch(uri) or PRIVATE_SCHEME.fullmatch(uri))
    )
    return bool(plain and known and len(uri) <= LONGEST and not OURS.search(uri))
