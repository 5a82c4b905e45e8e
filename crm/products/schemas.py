"""How products look in JSON, and what may be said of them."""

import marshmallow
from marshmallow import fields

from crm.products.models import Product
from crm.records.fields import text
from crm.records.money_fields import Money
from tenants.http.custom_values import CustomValues, custom_values
from tenants.http.representation import BodySchema, RecordSchema, Resource


class ProductBrief(marshmallow.Schema):
    """A product, as other records show it."""

    id = fields.UUID()
    name = fields.String()


class ProductBody(BodySchema):
    """What may be said of a product."""

    name = text(required=True)
    series = text(100)
    price = Money("price", allow_none=True)
    active = fields.Boolean()
    custom = CustomValues("products")


class ProductSchema(RecordSchema):
    """A product."""

    name = fields.String(required=True)
    series = fields.String(allow_none=True)
    price = Money("price", allow_none=True)
    active = fields.Boolean()
    custom = custom_values()


PRODUCTS = Resource("products", Product, ProductSchema(), search="words")
