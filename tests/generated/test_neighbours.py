"""Every operation of the document, asked with a neighbour's ids, cursors and keys: as if they never were."""

from uuid import uuid4

import pytest

from tenants.foundation.identifiers import new_id
from tests.asking import Examples, referred
from tests.generated.answers import sound, words
from tests.generated.rows import fingerprints
from tests.generated.thoroughness import both, some_of
from tests.operations import Document, Operation
from tests.workspace import Client, Workspace

REFUSED = (404, 409, 422)
#: Whose examples have no more than one page: what comes into being by a history, and by sending.
ONE_PAGE = {
    "GET /api/v1/deals/{deal_id}/stage-changes",
    "GET /api/v1/deals/{deal_id}/outcome-changes",
    "GET /api/v1/webhooks/{webhook_id}/deliveries",
}
#: Parameters that name one record instead of narrowing a list: one that is not there is not found.
NAMED = {("GET /api/v1/users/{user_id}/permissions/explanation", "record")}


def others(workspace: Workspace) -> list[Client]:
    """Everybody but the admin, who is asked in any case."""
    return [each for each in workspace.clients.values() if each is not workspace.admin]


@both
def test_a_neighbours_record_is_word_for_word_one_that_never_was(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    asked = [each for each in document.operations if each.names_in_path and not each.public]
    foreign = {each: theirs.ids(each) for each in asked}
    bodies = {each: ours.body(each) for each in asked}
    before = fingerprints(theirs.workspace.home)
    for operation, ids in foreign.items():
        with subtests.test(operation=str(operation)):
            never = {name: str(new_id()) for name in ids}
            for client in some_of(ours.workspace.clients.values(), every=every, first=1):
                answers = [
                    sound(operation, ours.ask(client, operation, each, json=bodies[operation]))
                    for each in (ids, never)
                ]
                assert answers[0].status_code in (404, 403)
                assert words(answers[0], *ids.values()) == words(answers[1], *never.values())
            admins = ours.ask(ours.workspace.admin, operation, ids, json=bodies[operation])
            assert admins.status_code == 404
    assert fingerprints(theirs.workspace.home) == before
    for operation, ids in foreign.items():
        with subtests.test(own=str(operation)):
            own = theirs.ask(
                theirs.workspace.admin, operation, theirs.ids(operation) if operation.method != "get" else ids
            )
            assert own.status_code != 404, (
                f"{operation} finds nothing even for its own tenant: the test above proves nothing"
            )


@both
def test_a_version_of_a_neighbours_record_opens_nothing(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if not operation.names_in_path or operation.method == "post" or operation.public:
            continue
        with subtests.test(operation=str(operation)):
            ids = theirs.ids(operation)
            name = "If-None-Match" if operation.method == "get" else "If-Match"
            for tag in some_of(('"1"', "*", 'W/"1"'), every=every, first=1):
                answer = sound(operation, ours.ask(ours.workspace.admin, operation, ids, headers={name: tag}))
                assert answer.status_code in (404, 403)


@both
def test_a_neighbours_record_in_a_body_is_one_that_never_was(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    references = [
        (operation, path, resource)
        for operation in document.operations
        if operation.body is not None and not operation.public
        for path, resource in ours.references(operation.body, operation.resource)
    ]
    if not every:  # each kind of reference, once
        references = list(
            {(path[-1], resource): (each, path, resource) for each, path, resource in references}.values()
        )
    foreign = [(*each, theirs.fitting(each[2])) for each in references]
    before = fingerprints(theirs.workspace.home)
    for operation, path, resource, their_id in foreign:
        with subtests.test(operation=str(operation), field=".".join(path)):
            tried = {"own": ours.fitting(resource), "theirs": their_id, "never": str(new_id())}
            answers = {
                who: sound(
                    operation,
                    ours.ask(
                        ours.workspace.admin,
                        operation,
                        json=ours.body_with(operation, path, resource, each),
                    ),
                )
                for who, each in tried.items()
            }
            assert answers["theirs"].status_code in REFUSED, answers["theirs"].json
            assert words(answers["theirs"], tried["theirs"]) == words(answers["never"], tried["never"])
            assert words(answers["own"], tried["own"]) != words(answers["never"], tried["never"]), (
                f"{operation} refuses its own {resource} like one that never was: this proves nothing"
            )
            if every:
                for client in others(ours.workspace):
                    bodies = [
                        ours.body_with(operation, path, resource, tried[who]) for who in ("theirs", "never")
                    ]
                    one, other = (sound(operation, ours.ask(client, operation, json=each)) for each in bodies)
                    assert words(one, tried["theirs"]) == words(other, tried["never"])
                assert fingerprints(theirs.workspace.home) == before
    assert fingerprints(theirs.workspace.home) == before


@pytest.mark.soak
@both
def test_a_neighbours_record_in_a_filter_finds_what_one_that_never_was_finds(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests, every
) -> None:
    for operation in document.operations:
        if operation.method != "get" or operation.public:
            continue
        ids = ours.ids(operation)
        for name in _filters_by_id(operation, every=every):
            with subtests.test(operation=str(operation), filter=name):
                field = name.partition("[")[0]
                foreign = theirs.some(
                    operation.resource if field == "id" else referred(document, field, operation.resource)
                )
                answers = {
                    each: sound(
                        operation, ours.ask(ours.workspace.admin, operation, ids, query_string={name: each})
                    )
                    for each in (foreign, str(uuid4()))
                }
                named = (str(operation), name) in NAMED
                assert {answer.status_code for answer in answers.values()} == {404 if named else 200}
                if named:
                    own = ours.some(referred(document, field, operation.resource))
                    answer = ours.ask(ours.workspace.admin, operation, ids, query_string={name: own})
                    assert answer.status_code == 200, answer.json["errors"]
                assert len({words(answer, each) for each, answer in answers.items()}) == 1
                if operation.is_page:
                    assert [answer.json["data"] for answer in answers.values()] == [[], []]
                for client in some_of(others(ours.workspace), every=every, first=1):
                    said = {
                        words(
                            sound(operation, ours.ask(client, operation, ids, query_string={name: each})),
                            each,
                        )
                        for each in answers
                    }
                    assert len(said) == 1


def _filters_by_id(operation: Operation, *, every: bool) -> list[str]:
    """The parameters that take ids, one or a list of them; some mean only those without a word in brackets."""
    of_ids = {each["name"] for each in operation.parameters if each["schema"].get("format") == "uuid"}
    lists = {each["name"] for each in operation.parameters if each["name"].removesuffix("[in]") in of_ids}
    found = (of_ids | lists) - set(operation.names_in_path)
    return sorted(each for each in found if not each.endswith("[ne]") and (every or "[" not in each))


def test_a_neighbours_cursor_is_none_of_ours(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if not operation.is_page or operation.public:
            continue
        with subtests.test(operation=str(operation)):
            ids = theirs.ids(operation)
            if not ids:
                theirs.make(operation.resource)
                theirs.make(operation.resource)
            page = theirs.ask(theirs.workspace.admin, operation, ids, query_string={"limit": 1})
            cursor = page.json["next_cursor"]
            assert (cursor is None) == (str(operation) in ONE_PAGE)
            if cursor is None:
                continue
            query = {"limit": 1, "cursor": cursor}
            own = theirs.ask(theirs.workspace.admin, operation, ids, query_string=query)
            assert own.status_code == 200, own.json
            answer = sound(operation, ours.ask(ours.workspace.admin, operation, query_string=query))
            assert answer.status_code == 422
            assert list(answer.json["errors"]) == ["cursor"]


def test_a_neighbours_idempotency_key_repeats_nothing(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if operation.method != "post" or operation.public:
            continue
        with subtests.test(operation=str(operation)):
            headers = {"Idempotency-Key": f"key of {operation}"}
            first = theirs.ask(theirs.workspace.admin, operation, headers=headers)
            second = sound(operation, ours.ask(ours.workspace.admin, operation, headers=headers))
            assert "Idempotency-Replayed" not in second.headers
            if second.status_code < 300:
                assert second.json["id"] != first.json["id"]


def test_lists_and_searches_show_nothing_of_a_neighbour(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    for operation in document.operations:
        if not operation.is_page or operation.names_in_path:
            continue
        with subtests.test(operation=str(operation)):
            made = theirs.make(operation.resource)
            for query in ({"limit": 200}, {"limit": 200, "id[in]": made}, {"limit": 200, "sort": "-id"}):
                answer = sound(operation, ours.ask(ours.workspace.admin, operation, query_string=query))
                assert made not in answer.get_data(as_text=True)
