"""What PostgreSQL itself says of a schema: tables, columns, constraints, indexes and rights."""

import psycopg

from tenants.isolation.conninfo import conninfo

QUESTIONS = {
    "columns": """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
  pg_get_expr(d.adbin, d.adrelid)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')""",
    "constraints": """
select c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated, k.condeferrable
from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.connamespace = %(schema)s::regnamespace""",
    "indexes": """
select c.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid, x.indisunique
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
where c.relnamespace = %(schema)s::regnamespace""",
    "rights": """
select c.relname, pg_get_userbyid(c.relowner), pg_get_userbyid(e.grantee), e.privilege_type, e.is_grantable
from pg_class c cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) e
where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')""",
    "schema": """
select pg_get_userbyid(n.nspowner), case e.grantee when 0 then 'public' else pg_get_userbyid(e.grantee) end,
  e.privilege_type
from pg_namespace n cross join aclexplode(n.nspacl) e where n.oid = %(schema)s::regnamespace""",
    "programs": """
select p.proname from pg_proc p where p.pronamespace = %(schema)s::regnamespace
union all select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = %(schema)s::regnamespace and not t.tgisinternal
union all select t.typname from pg_type t where t.typnamespace = %(schema)s::regnamespace and t.typtype in ('e', 'd')""",
}


def fingerprint(url: str, schema: str) -> dict[str, set[str]]:
    """Everything that a schema consists of, in words without its name."""
    with psycopg.connect(conninfo(url)) as connection:
        return {
            kind: {
                str(row).replace(schema, "<tenant>")
                for row in connection.execute(question, {"schema": schema})
            }
            for kind, question in QUESTIONS.items()
        }
