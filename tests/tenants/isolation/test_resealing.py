"""What is sealed is known from the models, and whoever rotates a key may write all of it."""

import pytest

import crm.app
from tenants.foundation.tables import Base
from tenants.isolation.resealing import holders, sealed_tables
from tenants.isolation.roles import EVERYTHING


def test_every_table_with_sealed_columns_is_bound_by_an_id() -> None:
    assert crm.app.BLUEPRINTS
    found = dict(sealed_tables())
    assert {"contacts", "companies", "mails", "audit_signing_keys", "idempotency_keys"} <= found.keys()
    for name in found:
        assert [each.name for each in Base.metadata.tables[name].primary_key] == ["id"], name


@pytest.mark.parametrize(("table", "columns"), list(sealed_tables()))
def test_a_tenants_role_may_seal_each_column_anew(table: str, columns: list[str]) -> None:
    (model,) = (each.class_ for each in Base.registry.mappers if each.local_table.name == table)
    rights = getattr(model, "__rights__", EVERYTHING)
    _, _, updating = rights.partition("update")
    assert rights == EVERYTHING or "update" in rights.split(", ") or all(each in updating for each in columns)


def test_rows_that_hold_sealed_values_inside_of_something_else_are_known() -> None:
    assert [each.table for each in holders()] == ["import_rows"]
