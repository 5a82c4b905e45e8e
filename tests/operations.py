"""Every operation of the OpenAPI document that the running program serves, ready to be asked."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from flask import Flask

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"\{(\w+)\}")
PREFIX = "/api/v1/"
OWN_AFFAIRS = ("signed_in", "in_person", "confirmed")


@dataclass(frozen=True, eq=False)
class Operation:
    """One method of one path, as the document describes it."""

    method: str
    path: str
    raw: dict[str, Any]
    document: "Document" = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def id(self) -> str:
        return self.raw["operationId"]

    @property
    def permission(self) -> str:
        return self.raw["x-permission"]

    @property
    def people_only(self) -> bool:
        """Whether programs may not, so that tests ask as somebody who signed in."""
        return bool(self.raw.get("x-people-only"))

    @property
    def public(self) -> bool:
        return self.permission == "anyone"

    @cached_property
    def names_in_path(self) -> list[str]:
        return PARAMETER.findall(self.path)

    @cached_property
    def resource(self) -> str:
        """The collection that the path is about: whose record it names last, or that it leads to."""
        parts = self.path.removeprefix(PREFIX).split("/")
        named = [before for before, part in pairwise(parts) if part.startswith("{")]
        return (named or [part for part in parts if part in self.document.kept] or parts)[-1]

    @cached_property
    def body(self) -> dict[str, Any] | None:
        """The schema of the JSON body, if there is one."""
        content = self.raw.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    @property
    def form(self) -> bool:
        return "multipart/form-data" in self.raw.get("requestBody", {}).get("content", {})

    @cached_property
    def parameters(self) -> list[dict[str, Any]]:
        return [self.document.resolve(each) for each in self.raw.get("parameters", [])]

    @property
    def needed(self) -> list[dict[str, Any]]:
        """The parameters of the query string that can't be left out."""
        return [each for each in self.parameters if each["in"] == "query" and each.get("required")]

    @property
    def is_page(self) -> bool:
        return self.method == "get" and any(each["name"] == "cursor" for each in self.parameters)

    @cached_property
    def shown(self) -> dict[str, Any]:
        """The properties of the record that a good answer holds."""
        for status, each in self.raw["responses"].items():
            if status.startswith("2"):
                schema = (
                    self.document.resolve(each)
                    .get("content", {})
                    .get("application/json", {})
                    .get("schema", {})
                )
                return self.document.resolve(schema).get("properties", {})
        return {}

    def documents(self, status: int) -> bool:
        return str(status) in self.raw["responses"] or "default" in self.raw["responses"]


@dataclass(frozen=True, eq=False)
class Document:
    """The whole OpenAPI document."""

    raw: dict[str, Any]

    @cached_property
    def operations(self) -> list[Operation]:
        found = []
        for path, item in self.raw["paths"].items():
            for method in METHODS:
                if method in item:
                    raw = {
                        **item[method],
                        "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])],
                    }
                    found.append(Operation(method, path, raw, self))
        return found

    @cached_property
    def kept(self) -> set[str]:
        """The collections whose records have a path of their own."""
        parts = (path.removeprefix(PREFIX).split("/") for path in self.raw["paths"])
        return {before for path in parts for before, part in pairwise(path) if part.startswith("{")}

    @cached_property
    def collections(self) -> set[str]:
        return {each.resource for each in self.operations}

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self.raw
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def find(self, method: str, path: str) -> Operation | None:
        return next((each for each in self.operations if (each.method, each.path) == (method, path)), None)


def document_of(app: Flask) -> Document:
    """As the program serves it: `/api/v1/openapi.json`."""
    return Document(app.test_client().get("/api/v1/openapi.json").get_json())
