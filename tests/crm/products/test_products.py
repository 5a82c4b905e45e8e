"""Products over REST: every seller of a tenant sees them, its admin changes them, the neighbour has none."""

import secrets

from tests.workspace import Workspace


def test_a_product_is_made_read_changed_and_deleted(acme: Workspace, neighbour: Workspace) -> None:
    name = f"GTX {secrets.token_hex(4)}"
    made = acme.admin.post(
        "/products", {"name": name, "series": "GTX", "price": {"amount": "550", "currency": "USD"}}
    )
    assert made.status_code == 201
    assert made.json["price"] == {"amount": "550.00", "currency": "USD"}
    assert made.json["active"] is True
    path = f"/products/{made.json['id']}"
    for reader in (acme.manager, acme.sales, acme.sales_elsewhere, acme.read_only):
        assert reader.get(path).json["name"] == name
        assert reader.patch(path, {"active": False}).status_code == 403
        assert reader.delete(path).status_code == 403
    assert acme.admin.patch(path, {"price": None, "active": False}).json["price"] is None
    found = acme.sales.get(f"/products?q={name.split()[1]}&active=false").json["data"]
    assert [each["id"] for each in found] == [made.json["id"]]
    assert {
        neighbour.admin.request(method, path, json={}).status_code for method in ("GET", "PATCH", "DELETE")
    } == {404}
    assert neighbour.admin.get(f"/products?name={name}").json["data"] == []
    assert acme.admin.delete(path).status_code == 204
    assert acme.admin.get(path).status_code == 404


def test_a_products_name_is_taken_once_per_tenant(acme: Workspace, neighbour: Workspace) -> None:
    name = f"MG {secrets.token_hex(4)}"
    assert acme.admin.post("/products", {"name": name}).status_code == 201
    again = acme.admin.post("/products", {"name": name})
    assert (again.status_code, again.json["code"]) == (409, "already_exists")
    assert neighbour.admin.post("/products", {"name": name}).status_code == 201


def test_an_amount_without_its_currency_is_refused(acme: Workspace, neighbour: Workspace) -> None:
    for client in (acme.admin, neighbour.admin):
        refused = client.post("/products", {"name": "Half a price", "price": {"amount": "1.00"}})
        assert refused.status_code == 422
        assert "price.currency" in refused.json["errors"]
