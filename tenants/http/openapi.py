"""The OpenAPI 3.1 document, made from the code that runs, with every way in and every refusal of each route."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from tenants.access.permissions import ANYONE, SIGNED_IN, registered
from tenants.http.documentation import ALWAYS, BOUNDS, DESCRIBED_LATER, METHODS, REFUSALS, WRITING


def document(app: Flask, api: Api) -> dict[str, Any]:
    """The whole document, with every refusal that a route can give."""
    for describe_now in app.extensions.get(DESCRIBED_LATER, {}).pop(api, ()):
        describe_now()
    made: dict[str, Any] = api.spec.to_dict()
    made.setdefault("components", {}).setdefault("responses", {})
    for status, text in REFUSALS.items():
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        made["components"]["responses"][f"Refused{status}"] = {"description": text, "content": content}
    made["components"]["responses"].pop("DEFAULT_ERROR", None)
    made["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "session": {"type": "apiKey", "in": "cookie", "name": "freehold_session"},
        "oauth": {"type": "oauth2", "flows": _flows()},
    }
    for path, item in made["paths"].items():
        for method in METHODS:
            if method in item:
                _finish(item[method], method, in_path="{" in path)
    _unbound_texts(made)
    return made


def _flows() -> dict[str, Any]:
    """How apps come to a token; their scopes are the permissions that programs may have."""
    scopes = {name: each.text for name, each in registered().items() if not each.people_only}
    own = {"tokenUrl": "/oauth/token", "scopes": scopes}
    asked = own | {"authorizationUrl": "/oauth/authorize", "refreshUrl": "/oauth/token"}
    return {"authorizationCode": asked, "clientCredentials": own}


def _unbound_texts(part: Any) -> None:
    """A decimal number travels as a text, for which JSON Schema has no smallest and largest: its pattern must do."""
    if isinstance(part, dict):
        if "string" in (part.get("type") or ()):
            for name in BOUNDS:
                part.pop(name, None)
        for each in part.values():
            _unbound_texts(each)
    elif isinstance(part, list):
        for each in part:
            _unbound_texts(each)


def _finish(operation: dict[str, Any], method: str, *, in_path: bool) -> None:
    public = operation["x-permission"] == ANYONE.name
    statuses = [*ALWAYS, *([] if public else ["401"])]
    statuses += ["403"] if public or operation["x-permission"] != SIGNED_IN.name or method != "get" else []
    statuses += ["404"] if in_path or method != "get" else []
    statuses += WRITING if method != "get" else []
    said = operation.get("responses", {})
    statuses += [status for status in said if status in REFUSALS and status not in statuses]
    kept = {status: each for status, each in said.items() if str(status)[0] in "23"}
    operation["responses"] = kept | {
        status: {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(statuses)
    }
    operation["security"] = [{}] if public else _ways_in(operation)
    if method == "post" and not public:
        operation.setdefault("parameters", []).append(
            _header("Idempotency-Key", "Makes a repeated request safe.")
        )
    if method in ("patch", "put", "delete") and in_path:
        operation.setdefault("parameters", []).append(
            _header("If-Match", "The version that you mean, from `ETag`.")
        )


def _ways_in(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The credentials that an operation takes; what only people may takes a session."""
    if operation.get("x-people-only"):
        return [{"session": []}]
    name = operation["x-permission"]
    return [{"bearer": []}, {"session": []}, {"oauth": [name] if name in registered() else []}]


def _header(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": text}
