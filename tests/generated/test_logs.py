"""No personal data in the log: a canary in every text that a request can carry, and no line that sings."""

import io
import json

import pytest

from tests.asking import Examples
from tests.examples import CANARY
from tests.operations import Document

pytestmark = pytest.mark.soak


def test_no_line_of_the_log_holds_what_somebody_entered(
    document: Document, ours: Examples, theirs: Examples, lines: io.BytesIO
) -> None:
    asked = 0
    for operation in document.operations:
        if operation.public:
            continue
        for client in (ours.workspace.admin, ours.workspace.read_only, theirs.workspace.admin):
            ids = ours.ids(operation)
            ours.ask(client, operation, ids)
            query = {"q": CANARY, "email": f"{CANARY}@example.test", "nonsense": CANARY, "cursor": CANARY}
            client.request(operation.method.upper(), operation.path.format(**ids), query_string=query)
            client.request(
                "POST", f"/{CANARY}/{CANARY}", json={CANARY: CANARY}, headers={"X-Request-Id": f"{CANARY} "}
            )
            client.request("GET", operation.path.format(**ids), headers={"Authorization": f"Bearer {CANARY}"})
            asked += 1

    said = lines.getvalue()
    assert CANARY.encode() not in said
    told = [json.loads(line) for line in said.splitlines()]
    requests = [each for each in told if each["event"] == "request"]
    assert len(requests) >= asked
    assert all(each["request"] for each in requests)
    known = [each for each in requests if each["status"] < 300]
    assert {each["tenant"] for each in known} == {str(each.workspace.home.id) for each in (ours, theirs)}
    assert all(each["caller"] and each["caller_kind"] for each in known)
