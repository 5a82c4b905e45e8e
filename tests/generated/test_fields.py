"""Every body of the document with fields that can't be said, every list with unknown parameters: 422."""

import pytest

from tests.asking import Examples
from tests.generated.answers import sound
from tests.generated.thoroughness import both, some_of
from tests.operations import Document, Operation


def unsayable(document: Document, operation: Operation) -> list[str]:
    """What the answer shows and the body has no word for: computed, or decided elsewhere."""
    said = document.resolve(operation.body or {}).get("properties", {})
    shown = operation.shown
    read_only = {name for name, each in said.items() if document.resolve(each).get("readOnly")}
    return sorted({*(shown.keys() - said.keys()), *read_only})


BROKEN = (b"[" * 5000, b"[]", b'"x"', b"1", b"{", b"\xff", b'{"a": NaN}', b"null", b'{"a\\u0000": 1}')
UNKNOWN = ("nonsense", "id[like]", "hash", "tenant_id", "id;drop", "owner_id[eq][eq]", "words")
WRONG = {
    "limit": ("201", "0", "x"),
    "sort": ("nonsense",),
    "cursor": ("WzFd", "x"),
    "include": ("nonsense",),
    "id": ("x",),
    "id[in]": ("x",),
}


#: An answer of a provider may say more than we know (RFC 6749, 4.1.2).
NOT_OURS = ("single-sign-on",)


@pytest.mark.soak
@both
def test_mass_assignment_computed_and_unknown_fields_are_refused_by_name(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if operation.body is None:
            continue
        with subtests.test(operation=str(operation)):
            ids, body = ours.ids(operation), ours.body(operation)
            names = {*unsayable(document, operation), "nonsense", "__class__", "tenant_id", "hash"}
            for tried in [{name} for name in names] if every else [names]:
                said = {**body, **dict.fromkeys(tried, "x")}
                answer = sound(operation, ours.ask(ours.workspace.admin, operation, ids, json=said))
                assert answer.status_code == 422, f"{operation} takes {tried}: {answer.json}"
                assert answer.json["errors"].keys() == tried


@pytest.mark.soak
@both
def test_a_body_that_is_no_object_is_refused(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if operation.body is None:
            continue
        with subtests.test(operation=str(operation)):
            path = operation.path.format(**ours.ids(operation))
            for body in some_of(BROKEN, every=every, first=2):
                answer = _sent(ours, operation, path, body, "application/json")
                assert answer.status_code in (400, 422), f"{operation} takes {body[:20]!r}"
            assert _sent(ours, operation, path, b"a=1", "text/plain").status_code == 415


def _sent(examples: Examples, operation: Operation, path: str, body: bytes, kind: str):
    admin = examples.workspace.admin.in_person if operation.people_only else examples.workspace.admin
    return sound(operation, admin.request(operation.method.upper(), path, data=body, content_type=kind))


@both
def test_unknown_parameters_are_refused_by_name(
    document: Document, ours: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if not operation.is_page:
            continue
        with subtests.test(operation=str(operation)):
            ids = ours.ids(operation)
            wrong = [(name, value) for name, values in WRONG.items() for value in values]
            tried = [*((name, "x") for name in some_of(UNKNOWN, every=every, first=2)), *wrong]
            for name, value in tried if every else tried[:5]:
                query = {name: value}
                answer = sound(operation, ours.ask(ours.workspace.admin, operation, ids, query_string=query))
                assert (answer.status_code, list(answer.json["errors"])) == (422, [name])


@both
def test_unknown_parameters_of_what_is_no_list_are_refused_by_name(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    plain = [each for each in document.operations if each.method == "get" and not each.is_page]
    asked = [each for each in plain if each.resource not in NOT_OURS]
    assert len(asked) > 60
    for operation in asked if every else asked[::5]:
        with subtests.test(operation=str(operation)):
            for examples in (ours, theirs):
                admin = examples.workspace.admin
                client = admin.in_person if operation.people_only else admin
                answer = sound(operation, examples.ask(client, operation, query_string={"nonsense": "x"}))
                assert (answer.status_code, list(answer.json["errors"])) == (422, ["nonsense"])


def test_a_method_that_is_none_here_is_refused_in_words(document: Document, ours: Examples) -> None:
    for path in document.raw["paths"]:
        example = path.replace("{", "").replace("}", "") if "{" not in path else None
        if example is None:
            continue
        answer = ours.workspace.admin.request("TRACE", example)
        assert answer.status_code == 405
        assert answer.content_type == "application/problem+json"
        assert "Allow" in answer.headers
