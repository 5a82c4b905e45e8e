"""The Python sources of the program, parsed."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def modules(*packages: str) -> dict[str, ast.Module]:
    """Each module under these packages (both, when none is named) by its path from the root."""
    files = (file for package in packages or ("crm", "tenants") for file in (ROOT / package).rglob("*.py"))
    return {
        str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)
    }


def lines(path: str) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def places(found: Iterator[tuple[str, ast.AST]]) -> list[str]:
    return [f"{path}:{node.lineno}" for path, node in found]
