"""A run's figures as ratios beside their goals: on the screen, in JSON, and in docs/performance.md."""

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

MET, MISSED = "met", "missed"


@dataclass(frozen=True)
class Section:
    """One table with its heading; cells are ready to be read."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def against(value: float, goal: float | None, *, written: str, at_most: bool = False) -> str:
    """A ratio beside its goal, and whether it was met."""
    if goal is None:
        return written
    met = value <= goal if at_most else value >= goal
    sign, shown = ("<=" if at_most else ">="), f"{goal:g}" if goal >= 1 else f"{goal:.0%}"
    return f"{written} ({sign} {shown}: {MET if met else MISSED})"


def show(sections: Sequence[Section]) -> None:
    console = Console(width=max(140, Console().width))
    for section in sections:
        table = Table(title=section.title, caption=section.note or None)
        for number, title in enumerate(section.columns):
            table.add_column(title, justify="right" if number else "left")
        for row in section.rows:
            table.add_row(*(_coloured(cell) for cell in row))
        console.print(table)


def _coloured(cell: str) -> str:
    if MISSED in cell:
        return f"[yellow]{cell}[/]"
    return f"[green]{cell}[/]" if MET in cell else cell


def machine() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = found[1] if found else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({processor}), Python {platform.python_version()}, load average {load:.1f}"
    )


def write_json(file: Path, figures: Sequence[Any], sections: Sequence[Section]) -> None:
    content = {
        "at": datetime.now(UTC).isoformat(),
        "machine": machine(),
        "figures": [asdict(each) for each in figures],
        "tables": [asdict(each) for each in sections],
    }
    file.write_text(json.dumps(content, indent=1))


def append(page: Path, title: str, command: str, sections: Sequence[Section]) -> None:
    """Adds a dated section to the page of figures."""
    today = datetime.now(UTC).date().isoformat()
    lines = [f"\n## {title}, {today}\n", f"`{command}` on {machine()}.\n"]
    for section in sections:
        lines += [f"### {section.title}\n", *_markdown(section), ""]
        if section.note:
            lines.append(f"{section.note}\n")
    with page.open("a") as opened:
        opened.write("\n".join(lines))


def _markdown(section: Section) -> Iterator[str]:
    yield f"| {' | '.join(section.columns)} |"
    yield f"|{'|'.join(['---', *['---:'] * (len(section.columns) - 1)])}|"
    for row in section.rows:
        yield f"| {' | '.join(row)} |"
