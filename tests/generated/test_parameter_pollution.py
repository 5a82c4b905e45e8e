"""Parameter pollution: what is said twice, or in two places, is refused by name, and nobody guesses which was meant."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tenants.http.selection import GIVEN_ONCE
from tests.asking import Examples
from tests.generated.answers import sound
from tests.generated.thoroughness import both
from tests.operations import Document, Operation

VALUES = {"limit": ("1", "9999"), "sort": ("id", "-id"), "cursor": ("x", "y"), "q": ("ann", "lee")}
#: These add up when they come several times.
ADD_UP = ("include", "group_by")


def named(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.json
    return set(answer.json["errors"])


def asked(ours: Examples, operation: Operation, pairs: list[tuple[str, str]]) -> Any:
    """Ask with a query string of exactly these pairs, besides what can't be left out."""
    given = {name for name, _ in pairs}
    needed = [
        (each["name"], ours.example(each["schema"], operation.resource, each["name"]))
        for each in operation.needed
        if each["name"] not in given
    ]
    path = operation.path.format(**ours.ids(operation))
    admin = ours.workspace.admin.in_person if operation.people_only else ours.workspace.admin
    return sound(operation, admin.get(f"{path}?{urlencode([*needed, *pairs])}"))


def sent(ours: Examples, operation: Operation, query: str, body: bytes | None) -> Any:
    path = operation.path.format(**ours.ids(operation))
    admin = ours.workspace.admin.in_person if operation.people_only else ours.workspace.admin
    options = {} if body is None else {"data": body, "content_type": "application/json"}
    return sound(operation, admin.request(operation.method.upper(), f"{path}{query}", **options))


def test_parameter_pollution_of_lists(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    pages = [each for each in document.operations if each.is_page]
    assert len(pages) > 30
    for operation in pages:
        with subtests.test(operation=str(operation)):
            known = {each["name"] for each in operation.parameters} & VALUES.keys()
            assert known >= {*GIVEN_ONCE} - {"q"}
            twice = [(name, value) for name in sorted(known) for value in VALUES[name]]
            for examples in (ours, theirs):
                assert named(asked(examples, operation, twice)) == known


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_parameter_pollution_of_every_parameter(
    document: Document, ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if operation.method != "get" or operation.public:
            continue
        said = [each for each in operation.parameters if each["in"] == "query" and each["name"] not in ADD_UP]
        with subtests.test(operation=str(operation)):
            for each in said:
                name = each["name"]
                value = VALUES.get(name, ("",))[0] or (each["schema"].get("enum") or ["x"])[0]
                assert name in named(asked(ours, operation, [(name, value), (name, value)]))


@both
def test_parameter_pollution_of_bodies(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    bodies = [each for each in document.operations if each.body is not None]
    for operation in bodies if every else bodies[::5]:
        with subtests.test(operation=str(operation)):
            for body in (b'{"a": 1, "a": 1}', b'{"b": [{"a": 1, "c": 2, "\\u0061": 3}]}'):
                answer = sent(ours, operation, "", body)
                assert (answer.status_code, answer.json["detail"]) == (
                    400,
                    'An object has "a" twice.',
                )


@both
def test_parameter_pollution_of_writing_routes(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    writing = [each for each in document.operations if each.method != "get"]
    assert [each for each in writing if any(one["in"] == "query" for one in each.parameters)] == []
    for operation in writing if every else writing[::5]:
        with subtests.test(operation=str(operation)):
            answer = sent(ours, operation, "?name=x&tenant_id=y", None if operation.body is None else b"{}")
            assert named(answer) == {"name", "tenant_id"}


def test_parameter_pollution_by_any_name(ours: Examples, theirs: Examples) -> None:
    for examples in (ours, theirs):
        for name in ("\\ud800", "x" * 5000, "\\u0000"):
            body = f'{{"{name}": 1, "{name}": 2}}'.encode()
            answer = examples.workspace.admin.post("/companies", data=body, content_type="application/json")
            assert answer.status_code == 400
            assert len(answer.json["detail"]) < 200
