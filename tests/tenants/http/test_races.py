"""The same request many times at once: one effect; and of parallel changes none is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from flask import Flask

from tests.workspace import Client, Workspace

AT_ONCE = 20


def _at_once(app: Flask, client: Client, ask) -> list:
    begun = threading.Barrier(AT_ONCE)

    def one(number: int):
        own = Client(app.test_client(), client.key, client.user_id)
        begun.wait()
        return ask(own, number)

    with ThreadPoolExecutor(AT_ONCE) as crew:
        return list(crew.map(one, range(AT_ONCE)))


def test_twenty_posts_with_one_idempotency_key_have_one_effect(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    name, key = f"Once {uuid4().hex}", uuid4().hex
    answers = _at_once(
        app,
        acme.admin,
        lambda own, _: own.post("/contacts", {"last_name": name}, headers={"Idempotency-Key": key}),
    )
    assert {each.status_code for each in answers} <= {201, 409}
    made = [each for each in answers if each.status_code == 201]
    assert len({each.json["id"] for each in made}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in made) == 1
    assert {each.json["code"] for each in answers if each.status_code == 409} <= {"in_progress"}
    assert len(acme.admin.get("/contacts", query_string={"last_name": name}).json["data"]) == 1
    assert neighbour.admin.get("/contacts", query_string={"last_name": name}).json["data"] == []
    again = acme.admin.post("/contacts", {"last_name": name}, headers={"Idempotency-Key": key})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    other = acme.admin.post("/contacts", {"last_name": "Other"}, headers={"Idempotency-Key": key})
    assert (other.status_code, other.json["code"]) == (422, "key_reused")


def test_a_replay_asks_for_the_right_again(acme: Workspace, neighbour: Workspace) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    made = acme.sales.post("/contacts", {"last_name": "Kept"}, headers=key)
    for client in (acme.manager, acme.sales_elsewhere, neighbour.sales):
        other = client.post("/contacts", {"last_name": "Kept"}, headers=key)
        assert other.json["id"] != made.json["id"]
    assert acme.read_only.post("/contacts", {"last_name": "Kept"}, headers=key).status_code == 403


def test_a_refused_post_is_not_remembered(acme: Workspace, neighbour: Workspace) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    theirs = neighbour.admin.post("/companies", {"name": "Theirs"}).json["id"]
    assert (
        acme.admin.post("/contacts", {"last_name": "A", "company_id": theirs}, headers=key).status_code == 422
    )
    assert acme.admin.post("/contacts", {"last_name": "A"}, headers=key).status_code == 201


def test_of_parallel_changes_with_one_version_one_wins(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    made = acme.admin.post("/contacts", {"last_name": "Contested"})
    path, tag = f"/contacts/{made.json['id']}", {"If-Match": made.headers["ETag"]}
    answers = _at_once(
        app, acme.admin, lambda own, number: own.patch(path, {"city": f"City {number}"}, headers=tag)
    )
    assert sorted({each.status_code for each in answers}) == [200, 412]
    (won,) = (each for each in answers if each.status_code == 200)
    assert acme.admin.get(path).json["city"] == won.json["city"]
    assert acme.admin.get(path).json["version"] == made.json["version"] + 1
    assert neighbour.admin.patch(path, {"city": "Eve"}, headers=tag).status_code == 404


def test_of_parallel_changes_without_a_version_none_is_lost(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    made = acme.admin.post("/contacts", {"last_name": "Contested"}).json
    path = f"/contacts/{made['id']}"
    answers = _at_once(app, acme.admin, lambda own, number: own.patch(path, {"city": f"City {number}"}))
    assert {each.status_code for each in answers} <= {200, 412}
    won = [each.json["version"] for each in answers if each.status_code == 200]
    assert sorted(won) == list(range(2, 2 + len(won)))
    assert acme.admin.get(path).json["version"] == 1 + len(won)
    assert neighbour.admin.get(path).status_code == 404
