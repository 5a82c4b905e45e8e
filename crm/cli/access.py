"""`freehold access …`: a tenant's own people decide about access by staff, over HTTP and signed in as ever.

Whoever runs the program can't approve here on a tenant's behalf: the commands know nothing but the public API.
"""

import json
from pathlib import Path
from typing import Any, Self

import click

from crm.cli import options
from crm.cli.asking import Api, where
from crm.cli.refusals import Refused

TOTP_DIGITS = 6


def _signed_in(command: Any) -> Any:
    """The options of every command that asks the API."""
    for option in (
        where,
        click.option("--email", required=True, help="Whom to sign in as; the password is read from stdin."),
        click.option("--tenant", metavar="SLUG", help="Which workspace, where the address opens several."),
        click.option(
            "--code", help="The second factor: a code of the authenticator app, or a recovery code."
        ),
    ):
        command = option(command)
    return command


@click.group(short_help="A tenant's people decide about access by staff.")
def access() -> None:
    """See who of the staff asks for access, decide about it, and see what they looked at. Signs in as one of you."""


@access.command("list")
@_signed_in
@options.as_json
def list_grants(*, as_json: bool, **who: Any) -> None:
    """Who asked for access, and what became of it."""
    with _Session(**who) as session:
        grants = session.ask("GET", "access-grants")["data"]
    if as_json:
        options.answer({"access_grants": grants}, as_json=True)
        return
    for each in grants:
        said = [each["id"], each["state"], each["staff_name"] or "anybody of support", each["access"]]
        said += [",".join(each["resources"]), each["explanation"]]
        click.echo(options.printable("  ".join(said)))


@access.command("log")
@_signed_in
@options.as_json
def show_log(*, as_json: bool, **who: Any) -> None:
    """What staff looked at, newest first."""
    with _Session(**who) as session:
        entries = session.ask("GET", "access-log?limit=200")["data"]
    if as_json:
        options.answer({"access_log": entries}, as_json=True)
        return
    for each in entries:
        said = [each["at"], each["staff_name"], each["kind"], each["resource"]]
        said += [f"records: {len(each['record_ids'])}", each["ticket"] or ""]
        click.echo(options.printable("  ".join(said)))


def _deciding(word: str, noun: str, short: str, text: str) -> None:
    @access.command(word, short_help=short, help=text)
    @click.argument("grant_id", type=click.UUID)
    @click.option("--why", help="A sentence for the record.")
    @_signed_in
    @options.as_json
    def decide(grant_id: Any, why: str | None, *, as_json: bool, **who: Any) -> None:
        with _Session(**who) as session:
            grant = session.ask("PUT", f"access-grants/{grant_id}/{noun}", {"why": why} if why else {})
        options.answer(grant if as_json else {"id": grant["id"], "state": grant["state"]}, as_json=as_json)


_deciding(
    "approve",
    "approval",
    "Give leave.",
    "Approve what staff asked for, as it is; narrowing it takes the API.",
)
_deciding("refuse", "refusal", "Give none.", "Say no to what staff asked for.")
_deciding(
    "revoke",
    "revocation",
    "Take leave back.",
    "Take leave back: the next request of every visit under it fails.",
)


@access.command("receipt", short_help="Keep the signed receipt of a visit.")
@click.argument("visit_id", type=click.UUID)
@click.option(
    "--to", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@_signed_in
@options.as_json
def get_receipt(visit_id: Any, file: Path, *, as_json: bool, **who: Any) -> None:
    """Keep the signed receipt of a visit that has ended, with the log's entries of it."""
    from tenants.foundation.whole_files import UnfinishedFile

    with _Session(**who) as session:
        whole = session.ask("GET", f"access-visits/{visit_id}/receipt")
    unfinished = UnfinishedFile(file.absolute().parent)
    try:
        unfinished.write(json.dumps(whole).encode())
        unfinished.put_at(file.absolute())
    finally:
        unfinished.abandon()
    options.answer({"file": str(file), "entries": len(whole["entries"])}, as_json=as_json)


@access.command("verify", short_help="Check a receipt; needs no server.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.as_json
def verify(file: Path, *, as_json: bool) -> None:
    """Check a visit's receipt, as `access receipt` or the API gave it; needs nothing but the FILE."""
    from tenants.support_access.receipts import verify_receipt

    try:
        said = json.loads(file.read_text())
        wrong = verify_receipt(said["receipt"], said["entries"])
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{file} is not the receipt of a visit.") from None
    found = {"holds": not wrong, "entries": len(said["entries"]), "public_key": said["receipt"]["public_key"]}
    options.answer({**found, "wrong": wrong} if as_json else found, as_json=as_json)
    if wrong:
        raise Refused("\n".join(wrong))


class _Session:
    """A session of one of the tenant's people; it ends with the block."""

    def __init__(self, url: str, email: str, tenant: str | None, code: str | None) -> None:
        self._api = Api(url, "api/v1")
        self.ask = self._api.ask
        password = options.password_given(wanted=True)
        said = {"email": email, "password": password, **({"tenant": tenant} if tenant else {})}
        made = self.ask("POST", "sessions", said)
        if "csrf_token" not in made:
            made = self._finished(made, code)
        self._api.show("X-CSRF-Token", made["csrf_token"])

    def _finished(self, half: Any, code: str | None) -> Any:
        """The answer to a sign-in whose password was right. Raises Refused where a code is missing or wrong."""
        if not {"totp", "recovery_code"} & set(half["methods"]):
            raise Refused("This account's second factor is a passkey: decide in the browser.")
        if code is None:
            raise Refused("This account signs in with a second factor: add --code.")
        kind = "code" if len(code) == TOTP_DIGITS else "recovery_code"
        return self.ask("POST", "sessions/second-factor", {"ticket": half["ticket"], kind: code})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.ask("DELETE", "sessions/current")
        self._api.close()
