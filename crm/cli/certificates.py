"""`freehold certificate …`: what was destroyed, and how anybody can check that we said so."""

from pathlib import Path
from uuid import UUID

import click

from crm.cli import options
from crm.cli.refusals import Refused


@click.group(short_help="Certificates of destruction.")
def certificate() -> None:
    """Certificates of destruction."""


@certificate.command("verify", short_help="Check a certificate; needs no server.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public-key", metavar="BASE64", help="The key that the installation publishes.")
@options.as_json
def verify_certificate(file: Path, public_key: str | None, *, as_json: bool) -> None:
    """Check the signature of FILE. Without --public-key, compare the key that is shown with the published one."""
    import json

    from tenants.lifecycle.certificates.documents import NotACertificate, verified

    content = file.read_bytes()
    try:
        document = verified(content, public_key)
    except NotACertificate as reason:
        raise Refused(str(reason)) from None
    shown = {
        "holds": True,
        "public_key": json.loads(content)["public_key"],
        "compared": public_key is not None,
    }
    # Whoever signs with a key of their own may write a document that names another: what we found comes last.
    options.answer({**shown, **document, **shown}, as_json=as_json)


@certificate.command("show", short_help="The certificate of a tenant that was destroyed.")
@click.argument("tenant_id", type=click.UUID)
@options.data_dir
def show_certificate(tenant_id: UUID, data_dir: Path) -> None:
    """Print the certificate of the tenant with this id, as a file that `freehold certificate verify` reads.

    It outlives the tenant: whoever left is handed it after an exit, and nobody can sign in any more to fetch it.
    """
    import json

    from crm.app import open_house
    from tenants.foundation.settings import Settings
    from tenants.lifecycle.certificates.issuing import WHOLE, certificates

    open_house(Settings.read(data_dir))
    for each in certificates().of(tenant_id):
        if each["certificate"]["subject"] == WHOLE:
            click.echo(json.dumps(each, indent=2))
            return
    raise Refused(f"No tenant with the id {tenant_id} was destroyed here.")
