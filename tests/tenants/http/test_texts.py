"""Patterns of texts: all of a text fits, or it is refused."""

import pytest

from tests.workspace import Workspace


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/companies", {"name": "Acme", "country": "IT\n"}, "country"),
        ("/deals", {"name": "Deal", "amount": "1", "currency": "EUR\n"}, "currency"),
        ("/fields", {"resource": "contacts", "name": "size\n", "label": "Size", "kind": "text"}, "name"),
    ],
)
def test_a_line_end_behind_what_fits_is_refused(
    acme: Workspace, neighbour: Workspace, path: str, body: dict[str, str], field: str
) -> None:
    for tenant in (acme, neighbour):
        answer = tenant.admin.post(path, body)
        assert answer.status_code == 422
        assert field in str(answer.json["errors"])
