"""The register of what can be exported says what bundles hold and leave out, to everybody, and nothing of anybody."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenants.foundation.tables import Base
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tests.workspace import Workspace


def register(app: Flask) -> dict[str, Any]:
    """As a stranger gets it."""
    answer = app.test_client(use_cookies=False).get("/api/v1/export-structure")
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


@pytest.mark.promise("EXP-3")
def test_what_it_says_is_what_a_bundle_holds_field_by_field(
    app: Flask, acme: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    said = register(app)
    for number, workspace in enumerate((acme, neighbour)):
        file = tmp_path / f"{number}.zip"
        take_out(workspace.home, file, Format.CSV)
        with zipfile.ZipFile(file) as archive:
            package = json.loads(archive.read("datapackage.json"))
        made = {
            each["name"]: (each["purpose"], each["schema"])
            for each in package["resources"]
            if "schema" in each
        }
        assert {each["name"]: (each["purpose"], each["schema"]) for each in said["tables"]} == made
        about = package["freehold"]
        behind = [(each["table"], each.get("columns", []), each["reason"]) for each in about["excluded"]]
        assert [(each["table"], each["fields"], each["reason"]) for each in said["left_out"]] == behind
        assert (said["bundle_version"], said["schema_revision"]) == (
            about["version"],
            about["schemaRevision"],
        )
        assert workspace.home.id.hex not in json.dumps(said).replace("-", "")
        assert workspace.admin.get("/export-structure").json == said, "the same for everybody"


@pytest.mark.promise("EXP-3")
def test_no_table_and_no_field_is_missing_from_it(app: Flask, acme: Workspace, neighbour: Workspace) -> None:
    said = register(app)
    known = {(table["name"], each["name"]) for table in said["tables"] for each in table["schema"]["fields"]}
    known |= {(each["table"], name) for each in said["left_out"] for name in each["fields"]}
    whole = {each["table"] for each in said["left_out"] if not each["fields"]}
    there = {
        (str(table.name), str(column.name))
        for table in Base.metadata.sorted_tables
        if table.name not in whole
        for column in table.columns
    }
    assert known == there
    assert all(each["reason"] for each in said["left_out"])
    assert all(each["dataClass"] for table in said["tables"] for each in table["schema"]["fields"])
    assert [each["name"] for each in said["formats"]] == [each.value for each in Format]
    assert all(each["url"].startswith("https://") for each in said["standards"])
    for workspace in (acme, neighbour):
        assert workspace.read_only.get("/export-structure").json == said
