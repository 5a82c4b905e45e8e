"""Pipelines and stages: what a tenant begins with, one default at a time, and what deals keep in place."""

import secrets
from collections.abc import Callable
from typing import Any

from tests.workspace import Workspace


def pipeline_with_stages(workspace: Workspace, *names: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    pipeline = workspace.admin.post("/pipelines", {"name": f"P {secrets.token_hex(4)}"}).json
    stages = [
        workspace.admin.post("/stages", {"pipeline_id": pipeline["id"], "name": name}).json for name in names
    ]
    return pipeline, stages


def test_a_new_tenant_can_sell_at_once(new_workspace: Callable[[], Workspace]) -> None:
    workspace, neighbour = new_workspace(), new_workspace()
    (pipeline,) = workspace.sales.get("/pipelines?include=stages").json["data"]
    assert pipeline["is_default"] is True
    assert [each["name"] for each in pipeline["stages"]] == [
        "Prospecting",
        "Engaging",
        "Proposal",
        "Negotiation",
    ]
    deal = workspace.sales.post("/deals", {"name": "First"}).json
    assert deal["pipeline_id"] == pipeline["id"]
    assert deal["stage_id"] == pipeline["stages"][0]["id"]
    assert neighbour.admin.get(f"/pipelines/{pipeline['id']}").status_code == 404
    assert neighbour.admin.get(f"/stages/{deal['stage_id']}").status_code == 404


def test_only_one_pipeline_is_the_default(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    (first,) = workspace.admin.get("/pipelines").json["data"]
    second = workspace.admin.post("/pipelines", {"name": "Renewals", "is_default": True}).json
    assert second["is_default"] is True
    assert workspace.admin.get(f"/pipelines/{first['id']}").json["is_default"] is False
    refused = workspace.admin.patch(f"/pipelines/{second['id']}", {"is_default": False})
    assert (refused.status_code, refused.json["code"]) == (409, "default_pipeline")
    assert workspace.admin.delete(f"/pipelines/{second['id']}").status_code == 409
    assert workspace.admin.patch(f"/pipelines/{first['id']}", {"is_default": True}).status_code == 200
    assert workspace.admin.delete(f"/pipelines/{second['id']}").status_code == 204
    assert len(neighbour.admin.get("/pipelines?is_default=true").json["data"]) == 1


def test_a_pipeline_without_stages_can_not_take_a_deal(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        pipeline, _ = pipeline_with_stages(workspace)
        refused = workspace.admin.post("/deals", {"name": "Nowhere", "pipeline_id": pipeline["id"]})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["pipeline_id"])


def test_a_default_without_stages_says_so(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    workspace = new_workspace()
    pipeline = workspace.admin.post("/pipelines", {"name": "Bare", "is_default": True}).json
    refused = workspace.sales.post("/deals", {"name": "Nowhere"})
    assert (refused.status_code, refused.json["code"]) == (409, "no_stage")
    workspace.admin.post("/stages", {"pipeline_id": pipeline["id"], "name": "Here"})
    assert workspace.sales.post("/deals", {"name": "Somewhere"}).status_code == 201
    assert neighbour.sales.post("/deals", {"name": "Untouched"}).status_code == 201


def test_stages_have_one_name_each_and_an_order(acme: Workspace, neighbour: Workspace) -> None:
    pipeline, stages = pipeline_with_stages(acme, "Call", "Visit", "Offer")
    assert [each["position"] for each in stages] == [1, 2, 3]
    twice = acme.admin.post("/stages", {"pipeline_id": pipeline["id"], "name": "Visit"})
    assert (twice.status_code, twice.json["code"]) == (409, "already_exists")
    acme.admin.patch(f"/stages/{stages[2]['id']}", {"position": 0, "probability": 70})
    listed = acme.sales.get(f"/stages?pipeline_id={pipeline['id']}").json["data"]
    assert [each["name"] for each in listed] == ["Offer", "Call", "Visit"]
    assert acme.admin.patch(f"/stages/{stages[0]['id']}", {"pipeline_id": pipeline["id"]}).status_code == 422
    assert acme.admin.patch(f"/stages/{stages[0]['id']}", {"probability": 101}).status_code == 422
    foreign = neighbour.admin.post("/stages", {"pipeline_id": pipeline["id"], "name": "Ours now"})
    assert (foreign.status_code, foreign.json["errors"]) == (
        422,
        {"pipeline_id": ["There is no such record."]},
    )


def test_only_an_admin_changes_pipelines(acme: Workspace, neighbour: Workspace) -> None:
    pipeline, (stage,) = pipeline_with_stages(acme, "Only")
    for client in (acme.manager, acme.sales, acme.read_only):
        assert client.get(f"/pipelines/{pipeline['id']}").status_code == 200
        assert client.post("/pipelines", {"name": "Mine"}).status_code == 403
        assert client.patch(f"/pipelines/{pipeline['id']}", {"name": "Mine"}).status_code == 403
        assert client.delete(f"/stages/{stage['id']}").status_code == 403
    assert neighbour.admin.delete(f"/stages/{stage['id']}").status_code == 404
    assert neighbour.admin.delete(f"/pipelines/{pipeline['id']}").status_code == 404


def test_a_stage_in_use_can_not_go_and_history_outlives_one_that_can(
    acme: Workspace, neighbour: Workspace
) -> None:
    pipeline, (first, second) = pipeline_with_stages(acme, "Early", "Late")
    deal = acme.sales.post("/deals", {"name": "Slow", "stage_id": first["id"]}).json
    in_use = acme.admin.delete(f"/stages/{first['id']}")
    assert (in_use.status_code, in_use.json["code"]) == (409, "still_referenced")
    assert acme.admin.delete(f"/pipelines/{pipeline['id']}").status_code == 409
    assert acme.sales.put(f"/deals/{deal['id']}/stage", {"stage_id": second["id"]}).status_code == 200
    assert acme.admin.delete(f"/stages/{first['id']}").status_code == 204
    changes = acme.sales.get(f"/deals/{deal['id']}/stage-changes").json["data"]
    assert [(each["from_stage"], each["to_stage"]) for each in changes] == [
        (None, "Early"),
        ("Early", "Late"),
    ]
    assert [each["to_stage_id"] for each in changes] == [None, second["id"]]
    assert neighbour.admin.get(f"/deals/{deal['id']}/stage-changes").status_code == 404
