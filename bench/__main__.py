"""`python -m bench`: each benchmark is a sub-command; `make bench` runs them all."""

from pathlib import Path

import click
from rich.console import Console

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/performance.md"
data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=ROOT / "var/bench",
    help="Where the servers of the benchmark keep their data; it is used again by the next run.",
)
json_file = click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Figures, for programs."
)
note = click.option("--note/--no-note", default=False, help="Append a dated section to docs/performance.md.")


@click.group()
def main() -> None:
    """How fast the program is, as ratios against something measured in the same run."""


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=2.0, show_default=True, help="Of each sample.")
def requests(data_dir: Path, json_file: Path | None, note: bool, rounds: int, seconds: float) -> None:  # noqa: FBT001 - click passes options by name
    """List, get, search and create: ours, the peer (django-tenants) and the limit (pgbench), interleaved."""
    from bench import report, trials
    from bench.request_tables import sections
    from bench.requests import prepared

    console = Console(stderr=True)
    console.print("Starting servers and loading data (a few minutes the first time)")
    with prepared(data_dir) as found:
        figures = list(trials.run(found, rounds=rounds, seconds=seconds, tell=console.print))
    tables = sections(figures)
    report.show(tables)
    if json_file:
        report.write_json(json_file, figures, tables)
    if note:
        command = f"python -m bench requests --rounds {rounds} --seconds {seconds:g}"
        report.append(PAGE, "Requests", command, tables)


@main.command()
@data_dir
@json_file
@note
@click.option("--rounds", default=3, show_default=True)
def exports(data_dir: Path, json_file: Path | None, note: bool, rounds: int) -> None:  # noqa: FBT001 - click passes options by name
    """A whole tenant as a bundle, against psql's copy of the same tables."""
    from bench import exports as bench
    from bench import report

    found = list(bench.rounds(data_dir, count=rounds))
    tables = bench.sections(found)
    report.show(tables)
    if json_file:
        report.write_json(json_file, found, tables)
    if note:
        report.append(PAGE, "Exports", f"python -m bench exports --rounds {rounds}", tables)


@main.command()
@data_dir
@note
@click.option("--rounds", default=3, show_default=True)
def jobs(data_dir: Path, note: bool, rounds: int) -> None:  # noqa: FBT001 - click passes options by name
    """A small job end to end beside RQ's forking worker, and behind a neighbour's flood."""
    from bench import jobs as benchmark
    from bench import report

    tables = benchmark.run(data_dir, rounds, Console(stderr=True).print)
    report.show(tables)
    if note:
        report.append(PAGE, "Jobs", f"python -m bench jobs --rounds {rounds}", tables)


if __name__ == "__main__":
    main()
