"""What goes step by step in the life of a tenant, and how far it is."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import DataClass, Identified, column


class Stepwise(Identified):
    """A row of the catalog that says which step comes next, and who is at it.

    `attempt` is the fencing token: who was overtaken can move nothing on.
    """

    step: Mapped[str]
    done: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    phase: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    error: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    attempt: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    lease_until: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
