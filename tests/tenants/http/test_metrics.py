"""What whoever runs the program counts: requests by route and status, and nothing of whom they were about."""

from flask import Flask

from tests.workspace import Workspace


def counted(app: Flask, line: str) -> float:
    """The figure of a series at /metrics; none yet is nought."""
    text = app.test_client().get("/metrics").get_data(as_text=True)
    found = [each for each in text.splitlines() if each.startswith(line)]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def test_requests_are_counted_by_route_and_status(app: Flask, acme: Workspace, neighbour: Workspace) -> None:
    route = 'method="GET",route="/api/v1/contacts/<uuid:contact_id>"'
    answered, refused = (f'freehold_requests_total{{{route},status="{each}"}}' for each in (200, 404))
    timed = f"freehold_request_seconds_count{{{route}}}"
    before = [counted(app, each) for each in (answered, refused, timed)]
    made = acme.admin.post("/contacts", {"last_name": "Counted"}).json["id"]
    assert acme.admin.get(f"/contacts/{made}").status_code == 200
    assert neighbour.admin.get(f"/contacts/{made}").status_code == 404
    after = [counted(app, each) for each in (answered, refused, timed)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2]
    text = app.test_client().get("/metrics").get_data(as_text=True)
    assert made not in text
    assert acme.home.role not in text
