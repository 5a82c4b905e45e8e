"""`python -m bench`: all benchmarks one after another, or one of them as a sub-command."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import report

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/performance.md"
tell = Console(stderr=True).print
data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=ROOT / "var/bench",
    help="Where the servers of the benchmark keep their data; it is used again by the next run.",
)
json_file = click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Figures, for programs."
)
note = click.option("--note", is_flag=True, help="Append a dated section to docs/performance.md.")


tenants = click.option(
    "--tenants", default=300, show_default=True, help="In the larger cluster, 51 or more; made when missing."
)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """How fast the program is, as ratios against something measured in the same run."""
    if context.invoked_subcommand is None:
        for command in (requests, births, imports, exports, jobs, yielding):
            context.invoke(command)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=2.0, show_default=True, help="Of each sample.")
@tenants
def requests(
    data_dir: Path, json_file: Path | None, rounds: int, seconds: float, tenants: int, *, note: bool
) -> None:
    """List, get, search and create: ours, the peer (django-tenants) and the limit (pgbench), interleaved."""
    from bench import trials
    from bench.request_tables import sections
    from bench.requests import prepared

    if not (ROOT / ".venv-bench").exists():
        subprocess.run([ROOT / "bench/setup.sh"], check=True)
    tell("Starting servers and loading data (a few minutes the first time)")
    with prepared(data_dir, tenants) as found:
        figures = list(trials.run(found, rounds=rounds, seconds=seconds, tell=tell))
    command = f"python -m bench requests --rounds {rounds} --seconds {seconds:g} --tenants {tenants}"
    _end("Requests", command if note else None, figures, sections(figures), json_file)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=3, show_default=True)
def imports(data_dir: Path, json_file: Path | None, rounds: int, *, note: bool) -> None:
    """100,000 contacts from a file, against psql's copy of the same rows."""
    from bench import imports as benchmark

    found = list(_told(benchmark.rounds(data_dir, count=rounds)))
    command = f"python -m bench imports --rounds {rounds}"
    _end("Imports", command if note else None, found, benchmark.sections(found), json_file)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=3, show_default=True)
def exports(data_dir: Path, json_file: Path | None, rounds: int, *, note: bool) -> None:
    """A whole tenant as a bundle, against psql's copy of the same tables."""
    from bench import exports as benchmark

    found = list(_told(benchmark.rounds(data_dir, count=rounds)))
    command = f"python -m bench exports --rounds {rounds}"
    _end("Exports", command if note else None, found, benchmark.sections(found), json_file)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=7, show_default=True)
@tenants
def births(data_dir: Path, json_file: Path | None, rounds: int, tenants: int, *, note: bool) -> None:
    """A new tenant, ready to use, among ten tenants and among many."""
    from bench import births as benchmark

    tell("Starting servers and making tenants (a second or so for each that is missing)")
    found = list(_told(benchmark.rounds(data_dir, count=rounds, tenants=tenants)))
    command = f"python -m bench births --rounds {rounds} --tenants {tenants}"
    _end("Births", command if note else None, found, benchmark.sections(found), json_file)


@main.command()
@data_dir
@note
@click.option("--rounds", default=3, show_default=True)
def jobs(data_dir: Path, rounds: int, *, note: bool) -> None:
    """A small job end to end beside RQ's forking worker, and behind a neighbour's flood."""
    from bench import jobs as benchmark

    tables = benchmark.run(data_dir, rounds, tell)
    _end("Jobs", f"python -m bench jobs --rounds {rounds}" if note else None, [], tables, None)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=30, show_default=True)
def yielding(data_dir: Path, json_file: Path | None, rounds: int, *, note: bool) -> None:
    """One tenant's requests and small jobs beside another's giant export, against the same without."""
    from bench import yielding as benchmark

    found = list(_told(benchmark.rounds(data_dir, count=rounds)))
    command = f"python -m bench yielding --rounds {rounds}"
    _end("Yielding", command if note else None, found, benchmark.sections(found), json_file)


@main.command()
@data_dir
@json_file
@note
def giant(data_dir: Path, json_file: Path | None, *, note: bool) -> None:
    """A giant tenant taken out once, with its memory over time; not part of a run of everything (15 GB of disk)."""
    from bench import giant as benchmark

    tell("Making a tenant with a million contacts and 5 GiB of files")
    found = benchmark.run(data_dir)
    _end("Giant", "python -m bench giant" if note else None, [found], benchmark.sections(found), json_file)
    if note:
        (PAGE.parent / "pictures/giant-export.svg").write_text(benchmark.picture(found))


@main.command()
@data_dir
@json_file
@note
@click.option("--contacts", default=200_000, show_default=True)
def moves(data_dir: Path, json_file: Path | None, contacts: int, *, note: bool) -> None:
    """A large tenant moved to another server while somebody writes; not part of a run of everything."""
    from bench import moves as benchmark

    tell(f"Starting two servers and making a tenant with {contacts:,} contacts")
    found = benchmark.run(data_dir, contacts)
    command = f"python -m bench moves --contacts {contacts}"
    _end("Moves", command if note else None, [found], benchmark.sections(found), json_file)


def _told(rounds: Any) -> Any:
    for number, each in enumerate(rounds, start=1):
        tell(f"Round {number}")
        yield each


def _end(
    title: str,
    noted_as: str | None,
    figures: Sequence[Any],
    tables: Sequence[report.Section],
    json_file: Path | None,
) -> None:
    report.show(tables)
    if json_file:
        report.write_json(json_file, figures, tables)
    if noted_as:
        report.append(PAGE, title, noted_as, tables)


if __name__ == "__main__":
    main()
