"""The pages of the program itself: what runs here and where to go, and where the links of mails lead."""

from collections.abc import Callable
from html import escape
from pathlib import Path

from flask import Flask, Response

HERE = Path(__file__).parent / "pages"
HTML = "text/html; charset=utf-8"
PARTS = {
    "start.css": "text/css; charset=utf-8",
    "link.css": "text/css; charset=utf-8",
    "link.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
#: The last parts of the links that mails hold; one page knows what to do with each.
LINKS = ("invitation", "password-reset", "email-verification", "address", "thaw")


def register(app: Flask, public_url: str) -> None:
    """Serve /, which names the address that people reach this at, the pages of links, and the files of both."""
    app.add_url_rule("/", "start", _page("start.html", public_url))
    for name in LINKS:
        app.add_url_rule(f"/pages/{name}", f"link {name}", _page("link.html"))
    for name, kind in PARTS.items():
        app.add_url_rule(f"/pages/{name}", f"page {name}", _serving(HERE / name, kind))


def _page(name: str, public_url: str = "") -> Callable[[], Response]:
    def page() -> Response:
        text = (HERE / name).read_text(encoding="utf-8").replace("PUBLIC_URL", escape(public_url))
        return Response(text, content_type=HTML)

    return page


def _serving(path: Path, kind: str) -> Callable[[], Response]:
    def serve() -> Response:
        response = Response(path.read_bytes(), content_type=kind)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    return serve
