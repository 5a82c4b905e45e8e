"""The headers by which browsers keep a page to itself, on every answer; a few answers have their own."""

from typing import Any

from flask import request

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CSP = "Content-Security-Policy"
#: Where an answer keeps headers of its own instead of those above, in the WSGI environment.
OWN_HEADERS = "freehold.security_headers"


def go_by_policy(policy: str) -> None:
    """The answer at hand has this Content-Security-Policy, and the other headers as ever."""
    request.environ[OWN_HEADERS] = list({**SECURITY_HEADERS, CSP: policy}.items())


def let_forms_lead_to(source: str) -> None:
    """The answer's form may lead to this origin, by way of a redirect: browsers count that as `form-action` too."""
    go_by_policy(SECURITY_HEADERS[CSP].replace("form-action 'self'", f"form-action 'self' {source}"))


def with_security_headers(serve: Any) -> Any:
    """Appended as they are, outside of Flask: every answer has them, and they cost next to nothing."""
    fixed = list(SECURITY_HEADERS.items())

    def serve_with_headers(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, headers + environ.get(OWN_HEADERS, fixed), exc_info)

        return serve(environ, start)

    return serve_with_headers
