"""Every body of the document with fields that can't be said, and every list with parameters that are none: 422."""

import pytest

from tests.examples import Examples
from tests.generated.answers import sound
from tests.operations import Document, Operation


def unsayable(document: Document, operation: Operation) -> list[str]:
    """What the answer shows and the body has no word for: computed, or decided elsewhere."""
    said = document.resolve(operation.body or {}).get("properties", {})
    shown = operation.shown
    read_only = {name for name, each in said.items() if document.resolve(each).get("readOnly")}
    return sorted({*(shown.keys() - said.keys()), *read_only})


def test_computed_and_unknown_fields_are_refused_by_name(
    document: Document, ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if operation.body is None:
            continue
        with subtests.test(operation=str(operation)):
            ids, body = ours.ids(operation), ours.body(operation)
            for name in (*unsayable(document, operation), "nonsense", "__class__", "tenant_id", "hash"):
                answer = sound(
                    operation, ours.ask(ours.workspace.admin, operation, ids, json={**body, name: "x"})
                )
                assert answer.status_code == 422, f"{operation} takes '{name}': {answer.json}"
                assert name in answer.json["errors"], answer.json


def test_a_body_that_is_no_object_is_refused(
    document: Document, ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if operation.body is None:
            continue
        with subtests.test(operation=str(operation)):
            ids = ours.ids(operation)
            path = operation.path.format(**ids)
            for body in (
                b"[]",
                b'"x"',
                b"1",
                b"{",
                b"\xff",
                b"[" * 5000,
                b'{"a": NaN}',
                b"null",
                b'{"a\\u0000": 1}',
            ):
                answer = sound(
                    operation,
                    ours.workspace.admin.request(
                        operation.method.upper(), path, data=body, content_type="application/json"
                    ),
                )
                assert answer.status_code in (400, 422), (
                    f"{operation} takes {body[:20]!r}: {answer.status_code}"
                )
            answer = ours.workspace.admin.request(
                operation.method.upper(), path, data="a=1", content_type="text/plain"
            )
            assert sound(operation, answer).status_code == 415


def test_unknown_parameters_are_refused_by_name(
    document: Document, ours: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if not operation.is_page:
            continue
        with subtests.test(operation=str(operation)):
            ids = ours.ids(operation)
            for name in ("nonsense", "id[like]", "hash", "tenant_id", "id;drop", "owner_id[eq][eq]", "words"):
                answer = sound(
                    operation, ours.ask(ours.workspace.admin, operation, ids, query_string={name: "x"})
                )
                assert (answer.status_code, list(answer.json["errors"])) == (422, [name])
            for name, value in (
                ("limit", "0"),
                ("limit", "201"),
                ("limit", "x"),
                ("sort", "nonsense"),
                ("cursor", "x"),
                ("cursor", "WzFd"),
                ("include", "nonsense"),
                ("id", "x"),
                ("id[in]", "x"),
            ):
                answer = sound(
                    operation, ours.ask(ours.workspace.admin, operation, ids, query_string={name: value})
                )
                assert (answer.status_code, list(answer.json["errors"])) == (422, [name])


def test_a_method_that_is_none_here_is_refused_in_words(document: Document, ours: Examples) -> None:
    for path in document.raw["paths"]:
        example = path.replace("{", "").replace("}", "") if "{" not in path else None
        if example is None:
            continue
        answer = ours.workspace.admin.request("TRACE", example)
        assert answer.status_code == 405
        assert answer.content_type == "application/problem+json"
        assert "Allow" in answer.headers
