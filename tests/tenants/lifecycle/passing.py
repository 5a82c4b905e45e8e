"""Days that pass in a tenant: all that is dated in it was that much longer ago, and so was the day it came here."""

from psycopg import sql

from tenants.isolation.owner import as_owner
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace

MOMENTS = """
select table_name, array_agg(column_name::text) from information_schema.columns
where table_schema = %s and data_type = 'timestamp with time zone' and is_generated = 'NEVER' group by 1
"""


def days_pass(nursery: Nursery, tenant: Workspace, days: float) -> None:
    """Put every moment on record in a tenant, and of its claim, back by so many days."""
    role = tenant.home.role
    came = "update catalog.tenants set claimed_at = claimed_at - %s * interval '1 day' where id = %s"
    with as_owner(nursery.owner_urls["main"]) as connection:
        connection.execute(came, [days, tenant.home.id])
    with as_owner(nursery.owner_urls[tenant.home.cell]) as connection:
        for table, columns in connection.execute(MOMENTS, [role]).fetchall():
            back = [
                sql.SQL("{0} = {0} - %(days)s * interval '1 day'").format(sql.Identifier(c)) for c in columns
            ]
            statement = sql.SQL("update {} set {}").format(
                sql.Identifier(role, table), sql.SQL(", ").join(back)
            )
            connection.execute(statement, {"days": days})
