"""What holds for the sources as a whole."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.architecture.sources import lines, modules, places

LONGEST = 300
CUPBOARDS = {
    "base",
    "common",
    "handler",
    "helpers",
    "helper",
    "manager",
    "misc",
    "processor",
    "service",
    "utils",
}
CUPBOARD_CLASS = re.compile(r".(Helper|Util|Utils|Manager|Service|Handler|Processor|Repository)$")
WRONG_WORDS = {"Person", "Member", "Operator", "Customer", "Opportunity"}
SQL = re.compile(
    r"\b(select\s|insert\s+into|update\s+\S+\s+set|delete\s+from|(create|drop|alter)\s+\w+|grant\s|revoke\s"
    r"|set\s+(local|role)|order\s+by|where\s|begin\s*$)",
    re.IGNORECASE,
)
FOREIGN_MARKETING = re.compile(
    r"advertis|retarget|remarket|doubleclick|googletag|google.?analytics|facebook|tracking.?pixel|"
    r"affiliate|third.?party.?marketing|lookalike|data.?broker",
    re.IGNORECASE,
)
#: Where an exception ends without a word, and why.
SILENT = {
    "crm/cli/signals.py": "a signal asked for the end, and this is the end",
    "tenants/jobs/worker.py": "the next line logs it",
}
#: Where the linter's rule on built SQL is waived, and why.
WAIVED = {
    "tenants/jobs/dispatcher.py": "made of constants, at import",
    "tenants/jobs/attempts.py": "made of constants, at import",
    "tenants/jobs/progress.py": "made of constants, at import",
}
#: What looks like a statement put together inside a function, and why it is fine.
BUILT = {
    "tenants/isolation/cells.py": "the level of isolation is a word of our code",
}


def test_no_module_is_too_long_to_read() -> None:
    assert [path for path in modules() if len(lines(path)) > LONGEST] == []


def test_every_module_opens_with_a_sentence() -> None:
    for path, module in modules().items():
        if not module.body and path.endswith("__init__.py"):
            continue
        said = ast.get_docstring(module)
        assert said, f"{path} does not say what it is for"
        assert said.splitlines()[0].endswith((".", ":", ",")) or len(said.splitlines()) > 1, path


def test_nothing_is_a_cupboard() -> None:
    named = {part for path in modules() for part in path.removesuffix(".py").split("/")}
    assert named & CUPBOARDS == set()
    assert [name for name in _classes() if CUPBOARD_CLASS.search(name)] == []


def test_things_are_called_by_the_words_of_the_field() -> None:
    assert set(_classes()) & WRONG_WORDS == set()


def _classes() -> list[str]:
    return [node.name for _, node in _walk() if isinstance(node, ast.ClassDef)]


def test_only_the_door_ends_a_transaction() -> None:
    ends = {
        path
        for path, node in _walk()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("commit", "rollback")
        and not path.startswith("tenants/isolation/")
    }
    assert ends == set()


def test_only_the_house_of_isolation_opens_connections() -> None:
    opening = {
        path
        for path, node in _walk()
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None))
        in ("create_engine", "raw_connection")
    }
    assert {path for path in opening if not path.startswith("tenants/isolation/")} == {
        "tenants/catalog/registry.py"
    }


def test_no_row_is_deleted_past_the_session_of_its_tenant() -> None:
    """What is deleted by table meets neither holds nor the bin: statements name the model, and the session sees it."""
    deleting = {
        path
        for path, node in _walk()
        if isinstance(node, ast.Call)
        and (
            (getattr(node.func, "id", getattr(node.func, "attr", "")) == "delete")
            and "__table__" in ast.unparse(node)
        )
    }
    assert deleting == set()


def test_the_house_never_speaks_of_the_product() -> None:
    product = re.compile(r"\b(contacts|deals|invoices|credit_notes)\b")
    assert _speaking_of(product, "tenants") == {}


def test_sql_is_never_built_from_text_that_came_in() -> None:
    """Statements are put together at import, from constants; inside a function they have parameters."""
    found = {path for path, _ in _built_in_functions()}
    assert found == BUILT.keys(), places(_built_in_functions())


def _built_in_functions() -> Iterator[tuple[str, ast.AST]]:
    for path, module in modules().items():
        constants = {
            target.id
            for node in module.body
            if isinstance(node, ast.Assign) and SQL.search(_said(node.value)) and not _is_composed(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from ((path, node) for node in ast.walk(function) if _builds_sql(node, constants))


def _builds_sql(node: ast.AST, constants: set[str]) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(each, ast.FormattedValue) for each in node.values) and _is_sql(_said(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return _is_sql(_said(node.left)) or _is_sql(_said(node.right))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "format_map")
    ):
        value = node.func.value
        return (isinstance(value, ast.Name) and value.id in constants) or (
            isinstance(value, ast.Constant) and _is_sql(_said(value))
        )
    return False


def _is_composed(value: ast.expr) -> bool:
    """What `sql.SQL(…)` of psycopg makes takes identifiers and literals, and quotes them."""
    return isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "SQL"


def _is_sql(said: str) -> bool:
    """Sentences for people have full stops, statements have none."""
    return bool(SQL.search(said)) and not said.strip().endswith(".")


def _said(node: ast.AST) -> str:
    return "".join(
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def test_the_check_for_built_sql_finds_it() -> None:
    planted = (
        'f"select * from {table}"',
        '"select * from contacts where name = \'" + name + "\'"',
        '"delete from %s" % table',
        '"select {}".format(name)',
        'f"begin {isolation}"',
    )
    for each in planted[:4]:
        (node,) = (n for n in ast.walk(ast.parse(each)) if isinstance(n, ast.Expr))
        assert _builds_sql(node.value, set()) or any(_builds_sql(n, set()) for n in ast.walk(node)), each
    assert not _builds_sql(ast.parse('f"Choose where {name} goes."').body[0].value, set())


def test_the_rule_on_built_sql_is_waived_for_constants_only() -> None:
    waived = {path for path in modules() for line in lines(path) if "noqa" in line and "S608" in line}
    assert waived == WAIVED.keys()


def test_nothing_serves_the_marketing_of_others() -> None:
    assert _speaking_of(FOREIGN_MARKETING) == {}


def test_no_exception_is_passed_over_in_silence() -> None:
    silent = [
        (path, node)
        for path, node in _walk()
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body)
    ]
    assert {path for path, _ in silent} == SILENT.keys()


@cache
def _walk() -> list[tuple[str, ast.AST]]:
    return [(path, node) for path, module in modules().items() for node in ast.walk(module)]


def _speaking_of(pattern: re.Pattern[str], *packages: str) -> dict[str, list[str]]:
    """What the code of each module says of it, comments and docstrings apart."""
    suspects = {
        path: each for path, each in modules(*packages).items() if pattern.search("\n".join(lines(path)))
    }
    found = {path: pattern.findall(ast.unparse(_without_docstrings(each))) for path, each in suspects.items()}
    return {path: said for path, said in found.items() if said}


def test_the_check_for_words_finds_them() -> None:
    assert "tenants/mail/jobs.py" in _speaking_of(re.compile(r"\bMail\b"), "tenants/mail")
    assert _speaking_of(re.compile("sent by workers, after the transaction"), "tenants/mail") == {}


def _without_docstrings(module: ast.Module) -> ast.Module:
    copied = ast.parse(ast.unparse(module))
    for node in ast.walk(copied):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value = ast.Constant("")
    return copied
