"""What the tenant sells."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from crm.records.money import AMOUNT
from crm.records.searching import words_index, words_of
from tenants.custom_fields.models import Customised, custom_in
from tenants.foundation.tables import Base, DataClass, Purpose, Record, column


class Product(Record, Customised, Base):
    """Something with a name and a list price. Nobody owns it: whoever may read products sees them all."""

    __tablename__ = "products"
    __table_args__ = (
        words_index("products"),
        *custom_in("products"),
        Index(None, "created_at", "id"),
        CheckConstraint("(price is null) = (currency is null)", name="price_whole"),
    )
    __purpose__ = Purpose.SALES
    __audited__ = True
    __attachments__ = True

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    series: Mapped[str | None] = column(data=DataClass.BUSINESS)
    price: Mapped[Decimal | None] = column(AMOUNT, data=DataClass.BUSINESS)
    currency: Mapped[str | None] = column(data=DataClass.BUSINESS)
    active: Mapped[bool] = column(data=DataClass.BUSINESS, default=True, server_default="true")
    words = words_of("name", "series")
