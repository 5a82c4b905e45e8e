"""Products over HTTP."""

from typing import Any
from uuid import UUID

from crm.products.models import Product
from crm.products.permissions import CREATE_PRODUCTS, DELETE_PRODUCTS, EDIT_PRODUCTS, READ_PRODUCTS
from crm.products.schemas import PRODUCTS, ProductBody
from tenants.access.policy import change, find, remove, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection

products = Blueprint("products", __name__, url_prefix="/products", purpose=Purpose.SALES)


@products.page("", PRODUCTS, may=READ_PRODUCTS)
def list_products() -> Selection:
    """All products."""
    return Selection(PRODUCTS)


@products.one("/<uuid:product_id>", PRODUCTS, may=READ_PRODUCTS)
def get_product(product_id: UUID) -> Selection:
    """One product."""
    return Selection(PRODUCTS, {"id": product_id}, single=True)


@products.post("", may=CREATE_PRODUCTS)
@products.takes(ProductBody())
@products.answers(201, PRODUCTS)
def create_product(fields: dict[str, Any]) -> Product:
    """Add a product."""
    return save(Product(**fields))


@products.patch("/<uuid:product_id>", may=EDIT_PRODUCTS)
@products.takes(ProductBody(partial=True))
@products.answers(200, PRODUCTS)
def change_product(fields: dict[str, Any], product_id: UUID) -> Product:
    """Change a product (JSON merge patch, RFC 7396)."""
    return change(find(Product, product_id), fields)


@products.delete("/<uuid:product_id>", may=DELETE_PRODUCTS)
@products.response(204)
def delete_product(product_id: UUID) -> None:
    """Delete a product that nothing refers to."""
    remove(find(Product, product_id))
