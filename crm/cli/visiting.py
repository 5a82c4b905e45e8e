"""`freehold visit …`: one of our own people asks a tenant for access and looks at what it left them, over HTTP.

Nothing here knows more than `/staff/v1`: who runs it needs an account of their own and the tenant's leave.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any, Self

import click

from crm.cli import options
from crm.cli.asking import Api, where
from crm.cli.refusals import Refused

KEY = "FREEHOLD_STAFF_KEY"
TOKEN = "FREEHOLD_VISIT_TOKEN"  # noqa: S105 -- the name of a variable
OPENS_WITHIN = 60.0
EVERY = 0.5


def _as_staff(command: Any) -> Any:
    """The options of every command that one of our people signs in for."""
    for option in (
        where,
        click.option("--email", help=f"Whom to sign in as; the password is read from stdin. Not with {KEY}."),
        click.option("--code", help="The code of the authenticator app that goes with the password."),
        options.as_json,
    ):
        command = option(command)
    return command


@click.group(short_help="Our own people ask for access and look.")
def visit() -> None:
    """Ask a tenant for access, and look at what it left you.

    Signs in as you: with what is in FREEHOLD_STAFF_KEY, or with --email, --code and the password on stdin.
    A key asks and lists; to approve and to open a visit, put in what `sign-in` prints.
    """


@visit.command("sign-in", short_help="Begin a session, for twelve hours.")
@click.option("--email", required=True, help="Whom to sign in as; the password is read from stdin.")
@click.option("--code", required=True, help="The code of the authenticator app.")
@where
@options.as_json
def begin_session(url: str, email: str, code: str, *, as_json: bool) -> None:
    """Sign in with password and code; prints the session, to put into FREEHOLD_STAFF_KEY."""
    api = Api(url, "staff/v1")
    said = {"email": email, "password": options.password_given(wanted=True), "code": code}
    options.answer(api.ask("POST", "sessions", said), as_json=as_json)
    api.close()


@visit.command("ask", short_help="Ask a tenant for access.")
@click.argument("tenant", metavar="SLUG")
@click.option("--resource", "resources", multiple=True, required=True, help="What to see; may be said often.")
@click.option("--record", "record_ids", multiple=True, help="Only this record, by its id; may be said often.")
@click.option("--reason", required=True, help="customer_request, fault, data_repair or security_incident.")
@click.option("--why", "explanation", required=True, help="A sentence for those who decide.")
@click.option("--ticket", help="The ticket that it is about.")
@click.option(
    "--hours", type=click.IntRange(1), default=1, show_default=True, help="For how long; at most 4."
)
@click.option("--write", is_flag=True, help="Change records too, not only read them.")
@click.option("--clear", is_flag=True, help="Show personal values as they are, not masked.")
@_as_staff
def ask_for_access(*, write: bool, clear: bool, as_json: bool, **said: Any) -> None:
    """Ask the tenant SLUG for access. It opens nothing until your manager and the tenant approved it."""
    with _Staff(**_who(said)) as staff:
        body = {name: value for name, value in said.items() if value}
        body |= {"access": "write" if write else "read", "masked": not clear}
        _tell_of(staff.ask("POST", "access-grants", body), as_json=as_json)


@visit.command("grants", short_help="What was asked for, and what became of it.")
@_as_staff
def list_grants(*, as_json: bool, **who: Any) -> None:
    """What you asked for and what you may answer, newest first."""
    with _Staff(**who) as staff:
        found = staff.ask("GET", "access-grants")["data"]
    if as_json:
        options.answer({"access_grants": found}, as_json=True)
        return
    for each in found:
        said = [each["id"], each["tenant"], each["state"], each["access"], ",".join(each["resources"])]
        click.echo(options.printable("  ".join([*said, each["explanation"]])))


def _answering(word: str, noun: str, short: str, text: str) -> None:
    @visit.command(word, short_help=short, help=text)
    @click.argument("grant_id", type=click.UUID)
    @click.option("--why", help="A sentence for the record.")
    @_as_staff
    def answer(grant_id: Any, why: str | None, *, as_json: bool, **who: Any) -> None:
        with _Staff(**who) as staff:
            said = staff.ask("PUT", f"access-grants/{grant_id}/{noun}", {"why": why} if why else {})
        _tell_of(said, as_json=as_json)


_answering(
    "approve",
    "approval",
    "Say yes as the asker's manager.",
    "Say yes to what somebody of yours asked for; the tenant decides after you.",
)
_answering("refuse", "refusal", "Say no.", "Say no to it, or take your own ask back.")


@visit.command("open", short_help="Open a visit under a grant.")
@click.argument("grant_id", type=click.UUID)
@click.option("--intent", help="Open it to change records, and say what for.")
@_as_staff
def open_visit(grant_id: Any, intent: str | None, *, as_json: bool, **who: Any) -> None:
    """Open a visit under a grant, and wait until it is open. Prints the token, here and nowhere else."""
    changing = {"access": "write", "intent": intent} if intent else {}
    with _Staff(**who) as staff:
        made = staff.ask("POST", "visits", {"grant_id": str(grant_id), **changing})
        _wait_until_open(lambda: str(staff.ask("GET", f"visits/{made['id']}")["state"]))
    shown = {"visit": made["id"], "token": made["token"], "ends_at": made["expires_at"]}
    options.answer(shown, as_json=as_json)
    if not as_json:
        click.echo(f"Put the token into {TOKEN}; then: freehold visit look RESOURCE", err=True)


@visit.command("look", short_help="Read records, as JSON.")
@click.argument("resource")
@click.argument("record_id", required=False, type=click.UUID)
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="As the API takes it.")
@where
def look(resource: str, record_id: Any, filters: tuple[str, ...], url: str) -> None:
    """Read records of RESOURCE, or one of them, as JSON, with the token in FREEHOLD_VISIT_TOKEN.

    The tenant's log has said which before you see them.
    """
    from urllib.parse import quote, urlencode

    token = os.environ.get(TOKEN)
    if not token:
        raise Refused(f"{TOKEN} is not set: `freehold visit open GRANT` prints the token of a visit.")
    if wrong := [each for each in filters if "=" not in each]:
        raise Refused(f"--filter takes NAME=VALUE, not {wrong[0]}.")
    api = Api(url, "staff/v1/visits/current")
    api.show("Authorization", f"Bearer {token}")
    named = quote(resource, safe="") + (f"/{record_id}" if record_id else "")
    asked = urlencode([(name, value) for name, _, value in (each.partition("=") for each in filters)])
    click.echo(json.dumps(api.ask("GET", f"{named}?{asked}" if asked else named), indent=2))
    api.close()


@visit.command("end", short_help="End a visit.")
@click.argument("visit_id", type=click.UUID)
@_as_staff
def end_visit(visit_id: Any, *, as_json: bool, **who: Any) -> None:
    """End a visit: its token fails from now on, and the tenant has its receipt."""
    with _Staff(**who) as staff:
        staff.ask("DELETE", f"visits/{visit_id}")
    options.answer({"visit": visit_id, "state": "ended"}, as_json=as_json)


def _who(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said.pop(name) for name in ("url", "email", "code")}


def _tell_of(grant: Any, *, as_json: bool) -> None:
    shown = {"grant": grant["id"], "tenant": grant["tenant"], "state": grant["state"]}
    options.answer(grant if as_json else shown, as_json=as_json)


def _wait_until_open(state: Callable[[], str]) -> None:
    """Raises Refused when it ended meanwhile, or does not open in time."""
    from rich.console import Console

    until = time.monotonic() + OPENS_WITHIN
    with Console(stderr=True).status("The visit is being opened …"):
        while (found := state()) == "opening":
            if time.monotonic() > until:
                raise Refused("The visit is not open yet: `freehold scheduler` opens it, see that it runs.")
            time.sleep(EVERY)
    if found != "open":
        raise Refused("The visit ended before it was open: its leave was taken back, or its time is over.")


class _Staff:
    """Requests of one of our people; a session that was made for them ends with the block."""

    def __init__(self, url: str, email: str | None, code: str | None) -> None:
        self._api = Api(url, "staff/v1")
        self.ask = self._api.ask
        key, self._signed_in = os.environ.get(KEY), bool(email)
        if email:
            said = {"email": email, "password": options.password_given(wanted=True), "code": code or ""}
            key = self.ask("POST", "sessions", said)["token"]
        if not key:
            raise Refused(f"Say who you are: --email and --code, or a key or session in {KEY}.")
        self._api.show("Authorization", f"Bearer {key}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        if self._signed_in:
            self.ask("DELETE", "sessions/current")
        self._api.close()
