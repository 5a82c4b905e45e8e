"""The start page: what runs here, and where to go."""

from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response

HERE = Path(__file__).parent / "pages"
PARTS = {"start.css": "text/css; charset=utf-8", "mark.svg": "image/svg+xml"}


def register(app: Flask) -> None:
    """Serve / and the files that it consists of."""

    def start() -> Response:
        return Response((HERE / "start.html").read_bytes(), content_type="text/html; charset=utf-8")

    app.add_url_rule("/", "start", start)
    for name, kind in PARTS.items():
        app.add_url_rule(f"/pages/{name}", f"page {name}", _serving(HERE / name, kind))


def _serving(path: Path, kind: str) -> Callable[[], Response]:
    def serve() -> Response:
        response = Response(path.read_bytes(), content_type=kind)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    return serve
