"""The course of one request: credential, allowance, transaction, caller, permission, answer."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from flask import Response, current_app, g, request

from tenants.access.caller import Acting, Caller
from tenants.access.permissions import Permission
from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import PERMITS, refusal_of
from tenants.custom_fields.definitions import is_known
from tenants.foundation.errors import NotAllowed, NotSignedIn, Refusal, Unavailable
from tenants.foundation.settings import Settings
from tenants.http.bodies import FORM, PLAIN_FORM
from tenants.http.etags import expected_version, tagged
from tenants.http.forgery import refuse_other_sites
from tenants.http.guard import Credential, Guard
from tenants.http.idempotency import once
from tenants.http.rate_limits import RateLimits
from tenants.http.reading import SAFE
from tenants.http.rows import one, page
from tenants.http.selection import Selection
from tenants.isolation.away import Elsewhere
from tenants.isolation.door import inside
from tenants.isolation.reading import Question, read
from tenants.isolation.violations import ERRORS

REMEMBERED = 10_000
TRIES = 5
#: What is nobody's yet has no callers.
NOBODYS = (State.MAKING, State.SPARE)


class Seen(NamedTuple):
    """A standing as the guard gave it, and the caller that it makes."""

    answer: Any
    caller: Caller


class Standings:
    """The last standing seen of each credential: good for guessing what to ask, never for letting an answer out."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Seen] = OrderedDict()
        self._lock = Lock()

    def get(self, credential: Credential) -> Seen | None:
        return self._kept.get(credential.hash)

    def forget(self, credential: Credential) -> None:
        """Ask the guard alone next time: what is guessed for somebody without rights is work, and takes its time."""
        with self._lock:
            self._kept.pop(credential.hash, None)

    def put(self, credential: Credential, seen: Seen) -> None:
        with self._lock:
            self._kept[credential.hash] = seen
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


@dataclass
class House:
    """What every request needs, made once at start-up."""

    settings: Settings
    catalog: Catalog
    guard: Guard
    limits: RateLimits
    seen: Standings = field(default_factory=Standings)

    def recognised(self, credential: Credential, seen: Seen) -> None:
        """Remember a standing. Raises TooManyRequests when the tenant's allowance is used up."""
        if self.seen.get(credential) is None:
            self.limits.take_for_tenant(credential)
        self.seen.put(credential, seen)


def the_house() -> House:
    """The house of the application that answers the request at hand."""
    found: House = current_app.extensions["house"]
    return found


def answer_writing(house: House, view: Callable[[], Any], may: Permission, subject: UUID | None) -> Response:
    """Guard, then the route, in one transaction; the answer is made before the commit and sent after it."""
    credential, home = admit(house)
    question = house.guard.question(credential)
    if request.mimetype == FORM:
        (standing,) = read(home, question)
        house.guard.caller(credential, standing).must(may)
    _receive()
    with _at(house, home), inside(home, first=(question.sql, question.values)) as tenancy:
        caller = house.guard.caller(credential, tenancy.first_answer)
        house.recognised(credential, Seen(tenancy.first_answer, caller))
        _name(caller)
        tenancy.caller = Acting(
            caller, may, g.request_id, request.remote_addr, subject_id=subject, expected_version=expected_version()
        )  # fmt: skip
        caller.must(may)
        if request.method not in SAFE and not caller.may_change(may):
            raise refusal_of(_more_exactly(house, home, caller.state))
        answer: Response = once(view)
    house.guard.seen(credential, home)
    return answer


def answer_reading(
    house: House, view: Callable[..., Selection], may: Permission, path: dict[str, Any]
) -> Response:
    """Guard and question in one trip, guessing from the last standing seen.

    The answer is let out only when the guard returned that same standing; else it is thrown away and asked again.
    """
    credential, home = admit(house)
    with _at(house, home):
        return _answer_reading(house, view, may, path, credential, home)


def _answer_reading(
    house: House,
    view: Callable[..., Selection],
    may: Permission,
    path: dict[str, Any],
    credential: Credential,
    home: Home,
) -> Response:
    guard = house.guard.question(credential)
    known = house.seen.get(credential)
    for _ in range(TRIES):
        guessed = known is not None and known.caller.refusal(may) is None
        if known is None or not guessed:
            known = _seen_now(house, credential, home, guard, may)
        _name(known.caller)
        if not is_known(home, known.caller.fields_version):
            known = None  # the fields of the tenant's own were just changed, and with them every standing
            house.seen.forget(credential)
            continue
        try:
            selection = view(**path)
            asked = selection.ask(known.caller, request.args)
            answer, rows = read(home, guard, asked.question)
        except Unavailable:
            house.seen.forget(credential)
            raise
        except (Refusal, *ERRORS):
            if not guessed:
                raise
            known = None  # a refusal is an answer too: it is let out when the guard was asked
            continue
        if answer == known.answer:
            house.guard.seen(credential, home)
            render = one if selection.single else page
            made = Response(render(asked, rows, home.id), content_type="application/json")
            return tagged(made, asked, rows)
        known = None
        house.seen.forget(credential)
    raise Unavailable("Your rights are being changed at this moment. Try again.")


def _seen_now(house: House, credential: Credential, home: Home, guard: Question, may: Permission) -> Seen:
    """The standing of this moment, by the guard alone. Raises NotSignedIn, NotAllowed, and as `recognised` does."""
    (answer,) = read(home, guard)
    seen = Seen(answer, house.guard.caller(credential, answer))
    house.recognised(credential, seen)
    seen.caller.must(may)
    return seen


def _receive() -> None:
    """What is sent is read before the transaction begins: who sends slowly keeps no connection waiting.

    A form may bring large files, so it is read from those only who may bring them.
    """
    if request.mimetype == FORM:
        request.files.keys()  # the first look at it reads all of the form
    else:
        request.get_data(cache=True)


def admit(house: House) -> tuple[Credential, Home]:
    """Who claims to be here, and where they live. Raises NotSignedIn, TooManyRequests, NotAllowed (CSRF)."""
    credential = house.guard.credential()
    structlog.contextvars.bind_contextvars(tenant=str(credential.tenant_id))
    if house.seen.get(credential) is None:
        house.limits.take_as_stranger(credential, request.remote_addr or "")
    else:
        house.limits.take(credential)
    home = _home(house, credential.tenant_id)
    if credential.kind == "session" and request.method not in SAFE:
        _refuse_forgery(credential)
    return credential, home


def _home(house: House, tenant_id: UUID) -> Home:
    """Where the tenant lives. Raises NotSignedIn when there is none, and what its state says when nobody gets in."""
    home = house.catalog.home(tenant_id)
    if home is not None and home.permits.reads:
        return home
    state = home.state if home else house.catalog.state_of(tenant_id)
    if state is None or state in NOBODYS:
        raise NotSignedIn
    raise refusal_of(state)


def _more_exactly(house: House, home: Home, state: State) -> State:
    """The catalog's word for why nothing is written: a frozen tenant is on its way somewhere."""
    known = house.catalog.state_of(home.id)
    return state if known is None or PERMITS[known].writes else known


@contextmanager
def _at(house: House, home: Home) -> Iterator[None]:
    """A tenant that is no longer where it was: what was known of its home is forgotten."""
    try:
        yield
    except Elsewhere:
        house.catalog.forget(home.id)
        raise


def _refuse_forgery(credential: Credential) -> None:
    """A cookie alone proves nothing about who wrote the request (OWASP CSRF: synchroniser token)."""
    refuse_other_sites()
    sent = request.headers.get("X-CSRF-Token")
    if sent is None and request.mimetype == PLAIN_FORM:
        sent = request.form.get("csrf_token")
    if sent != credential.csrf:
        raise NotAllowed(
            "Send the token of your session in X-CSRF-Token; GET /api/v1/me shows it.", code="csrf"
        )


def _name(caller: Caller) -> None:
    structlog.contextvars.bind_contextvars(caller=str(caller.user_id), caller_kind=caller.kind)
