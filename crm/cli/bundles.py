"""`freehold bundle verify`, `freehold tenant export` and `import`: a tenant leaves, is looked at, and comes back."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.opening import living_tenant, opened, opened_nursery
from crm.cli.progress import shown_progress
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.portability.encrypting import Encrypted
    from tenants.portability.verifying import Report

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
sha256_said = click.option(
    "--sha256", type=options.Sha256(), metavar="HEX", help="What the export says: compared with that of FILE."
)


@click.group(short_help="Look at bundles.")
def bundle() -> None:
    """Look at bundles: what a tenant takes along when it leaves."""


@bundle.command("verify")
@click.argument("file", type=FILE)
@sha256_said
@options.as_json
def verify_bundle(file: Path, sha256: str | None, *, as_json: bool) -> None:
    """Check every file, hash, count, value, key and relation in FILE. Needs no server; status 1 when it does not hold.

    Of an encrypted FILE nothing but the SHA-256 can be checked before it is decrypted, and it says so.
    """
    from tenants.portability.encrypting import encryption_of
    from tenants.portability.opening import must_be_the_file
    from tenants.portability.verifying import verify

    must_be_the_file(file, sha256)
    if seen := encryption_of(file):
        _tell_of_encrypted(seen, compared=sha256 is not None, as_json=as_json)
        return
    with shown_progress() as tell:
        report = verify(file, lambda table, rows: tell(f"verify {table}", rows))
    if as_json:
        options.answer(_as_json(report), as_json=True)
    elif report.holds:
        _tell_that_it_holds(report)
    if report.findings:
        raise Refused("\n".join(map(str, report.findings)))


def _as_json(report: "Report") -> dict[str, Any]:
    about = report.described
    return {
        "holds": report.holds,
        "tenant": about.slug,
        "snapshot_at": about.snapshot_at,
        "format": about.format.value,
        "rows_read": report.rows_read,
        "rows": sum(report.rows.values()),
        "tables": {
            name: {"rows": rows, "content": report.content[name]} for name, rows in report.rows.items()
        },
        "missing_files": list(about.missing_files),
        "findings": [{**asdict(each), "sentence": str(each)} for each in report.findings],
    }


def _tell_that_it_holds(report: "Report") -> None:
    about, rows = report.described, sum(report.rows.values())
    counted = f"{rows} rows" if report.rows_read else f"its files; rows of {about.format} are not read"
    click.echo(f"The bundle of {about.slug} from {about.snapshot_at} holds: {counted}.")
    for each in about.missing_files:
        click.echo(f"The file of attachment {each} was lost in storage before: it is declared as missing.")


def _tell_of_encrypted(seen: "Encrypted", *, compared: bool, as_json: bool) -> None:
    checked = ["sha256"] if compared else []
    unchecked = ["files", "hashes", "counts", "values", "keys", "relations"]
    about = {"encrypted": True, **asdict(seen), "checked": checked, "not_checked": unchecked}
    if as_json:
        options.answer(about, as_json=True)
        return
    said = "is the one that was said" if compared else f"is {seen.sha256}; --sha256 compares it"
    click.echo(
        f"It is encrypted with age to {len(seen.keys)} recipients ({', '.join(seen.keys)}). Its SHA-256 {said}.\n"
        "What is inside can't be checked before it is decrypted: age --decrypt --identity KEY --output ZIP FILE."
    )


@click.command("export", short_help="Everything of a tenant, as one file.")
@click.argument("slug")
@click.option(
    "--to", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl", "parquet", "sqlite"]),
    default="csv",
    show_default=True,
)
@click.option(
    "--encrypt-to",
    multiple=True,
    metavar="RECIPIENT",
    help="An age recipient or ssh public key; as often as needed.",
)
@options.data_dir
@options.as_json
def export_tenant(
    slug: str, file: Path, format_: str, encrypt_to: tuple[str, ...], data_dir: Path, *, as_json: bool
) -> None:
    """Write the bundle of tenant SLUG to a file: everything, from one moment, in open formats.

    It is not encrypted unless --encrypt-to says for whom.
    """
    from tenants.portability.formats import Format
    from tenants.portability.taking_out import rows_expected, take_out

    _, catalog = opened(data_dir)
    home = living_tenant(catalog, slug)
    with shown_progress(rows_expected(home)) as tell:
        made = take_out(home, file, Format(format_), tell, encrypt_to=encrypt_to)
    found = {"file": str(file), "size": made.size, "sha256": made.sha256, "rows": made.rows}
    options.answer(found | {"counts": made.counts()} if as_json else found, as_json=as_json)


@click.command("import", short_help="A tenant from a file.")
@click.argument("file", type=FILE)
@sha256_said
@click.option("--slug", required=True, help="What the new tenant is called in addresses.")
@click.option("--name", help="Its name for people; the one in the bundle, when left out.")
@click.option("--region", help="The region that it never leaves; a bundle says none.")
@click.option(
    "--admin-email",
    type=options.Address(),
    metavar="EMAIL",
    help="Who gets in: a user of the tenant, or a new admin.",
)
@click.option("--admin-password-stdin", "password", is_flag=True, help="Read a password for them from stdin.")
@click.option("--api-key", is_flag=True, help="Make an API key for them, or for the oldest admin.")
@options.data_dir
@options.as_json
def import_tenant(
    file: Path, slug: str, sha256: str | None, data_dir: Path, *, as_json: bool, **who: Any
) -> None:
    """Bring a tenant in from the bundle FILE, as a new tenant SLUG, equal row by row or not at all.

    Its users come without passwords and keys. Jobs that were unfinished are held. A bundle of an older version is
    migrated on the way. A bundle is not signed: --sha256 refuses a FILE that is not the one that the export showed.
    """
    from tenants.identity.signing_in.strength import must_be_strong
    from tenants.portability.arriving import bring_in
    from tenants.portability.letting_in import let_in
    from tenants.provisioning.slugs import checked_slug

    nursery = opened_nursery(data_dir)
    password = options.password_given(wanted=who["password"])
    if password is not None:
        must_be_strong(password, [who["admin_email"], who["name"], slug])
    with shown_progress() as tell:
        arrived = bring_in(
            nursery,
            file,
            checked_slug(slug),
            name=who["name"],
            region=who["region"],
            sha256=sha256,
            tell=lambda phase, table, rows: tell(f"{phase} {table}", rows),
        )
    answer: dict[str, Any] = {
        "tenant": {"id": str(arrived.home.id), "slug": slug},
        "rows": sum(arrived.report.rows.values()),
    }
    if who["admin_email"] or who["api_key"] or password:
        user = let_in(nursery, arrived.home, who["admin_email"], password=password, api_key=who["api_key"])
        answer["user"] = {"id": str(user.user_id), "name": user.name, "email": user.email}
        answer["api_key"] = user.api_key
    options.answer(answer, as_json=as_json)
