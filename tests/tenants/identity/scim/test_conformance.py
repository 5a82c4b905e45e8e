"""The library's own checks of a SCIM server, against ours, with a neighbour next door."""

from collections.abc import Callable

from flask import Flask

from tests.generated.rows import fingerprints
from tests.generated.thoroughness import both
from tests.tenants.identity.scim.directories import directory_key
from tests.workspace import Workspace

#: What is looked at in every run; `make soak` goes through all, which is some two thousand requests.
QUICK = {"discovery", "crud:create", "crud:delete"}


@both
def test_every_check_of_the_tester_passes(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, *, every: bool
) -> None:
    # Here, because they take seconds to load and every process of the tests would.
    from scim2_client.engines.wsgi import WSGISCIMClient
    from scim2_tester import Status, check_server

    before = fingerprints(neighbour.home)
    client = WSGISCIMClient(
        app.wsgi_app,
        base_url="http://127.0.0.1:8000/scim/v2",
        environ={"HTTP_AUTHORIZATION": f"Bearer {directory_key(new_workspace())}"},
    )
    results = check_server(client, include_tags=None if every else QUICK)
    looked_at = [each for each in results if each.status is not Status.SKIPPED]
    assert len(looked_at) >= (70 if every else 15)
    failed = [each for each in looked_at if each.status not in (Status.SUCCESS, Status.COMPLIANT)]
    assert [(each.title, each.reason) for each in failed] == []
    assert fingerprints(neighbour.home) == before
