"""`freehold certificate …`: what was destroyed, and how anybody can check that we said so."""

from pathlib import Path

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
    options.answer({**shown, **document}, as_json=as_json)
