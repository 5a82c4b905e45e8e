"""Asking a running Freehold over HTTP, as a browser or a program does; what it refuses is said in its own words."""

from typing import Any

import click

from crm.cli.reading import public_url
from crm.cli.refusals import Refused, in_sentences

SECONDS = 30
PROBLEMS = 400

where = click.option(
    "--url", default=public_url, show_default="what <data-dir>/env says", help="Where Freehold is."
)


class Api:
    """One of the two APIs, `api/v1` or `staff/v1`. Closing it ends the connection, no session.

    What it shows goes where it was told and nowhere else: redirects are not followed, `~/.netrc` is not read.
    """

    def __init__(self, url: str, path: str) -> None:
        import requests

        self._http = requests.Session()
        # What ~/.netrc says of the host would take the place of the key.
        self._http.auth = lambda request: request
        self._base = f"{url.rstrip('/')}/{path}"

    def show(self, name: str, value: str) -> None:
        """Send this header with every request from here on."""
        self._http.headers[name] = value

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, empty where it has none. Raises Refused with what the API says, or for a redirect."""
        import requests

        try:
            answer = self._http.request(
                method, f"{self._base}/{path}", json=body, timeout=SECONDS, allow_redirects=False
            )
            said = answer.json() if answer.content else {}
        except ValueError:
            raise Refused(f"There is no Freehold at {self._base}: say with --url where it is.") from None
        except requests.RequestException:
            raise Refused(f"Nothing answers at {self._base}: say with --url where Freehold is.") from None
        if answer.is_redirect:
            raise Refused(f"{self._base} sends us elsewhere, and nobody follows: say with --url where it is.")
        if answer.status_code >= PROBLEMS:
            raise Refused(in_sentences(said.get("detail") or said["title"], said.get("errors") or {}))
        return said

    def close(self) -> None:
        """Nothing is asked after this."""
        self._http.close()
