"""Which revision of the tables a tenant's schema is at."""

from typing import ClassVar

from sqlalchemy.orm import Mapped

from tenants.foundation.tables import Base, DataClass, Purpose, column


class SchemaRevision(Base):
    """One row, written in the transaction of the change that it names."""

    __tablename__ = "schema_revision"
    __purpose__ = Purpose.OPERATION
    __stays__ = "Tells how the tables are built here; the bundle names its own revision."
    __of_this_place__ = True
    __rights__: ClassVar[str] = "select"

    revision: Mapped[str] = column(data=DataClass.TECHNICAL, primary_key=True)
