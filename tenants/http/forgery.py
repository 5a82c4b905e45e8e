"""Requests that a page of another site has a browser send: refused (OWASP, "Cross-Site Request Forgery")."""

from flask import request

from tenants.foundation.errors import NotAllowed


def refuse_other_sites() -> None:
    """Raises NotAllowed where the browser says that another site asks: nobody is signed in by it either (login CSRF)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This request came from another site.", code="cross_site")
