"""The browsable API page: Swagger UI from its package, so that it works offline and under the strict CSP."""

from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, abort

VENDORED = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
OWN = ("api.html", "api.js", "api.css")
HERE = Path(__file__).parent / "pages"


def register(app: Flask) -> None:
    """Serve /api/v1/docs and the few files that it consists of."""

    def page() -> Response:
        return _file(HERE / "api.html")

    def part(name: str) -> Response:
        if name in OWN:
            return _file(HERE / name)
        if name in VENDORED:
            return _file(Path(str(files("flask_swagger_ui"))) / "dist" / name)
        return abort(404)

    app.add_url_rule("/api/v1/docs", "api_page", page)
    app.add_url_rule("/api/v1/docs/<name>", "api_page_part", part)


def _file(path: Path) -> Response:
    kind = guess_type(path.name)[0] or "application/octet-stream"
    response = Response(
        path.read_bytes(), content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    )
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
