"""A mail that was posted is sent by a worker over SMTP, tried again while there is hope, and never lost in silence."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from sqlalchemy import delete, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.mail import postmen
from tenants.mail.jobs import KEPT, tidy_mails
from tenants.mail.models import Mail
from tenants.mail.posting import link, post
from tenants.mail.postmen import Post, ToFolder, ToNobody, ToServer, use_post
from tests.jobs import try_again_now
from tests.mails import posted
from tests.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
TEXT = "Good morning,\n\nyour colleague Zoë invited you.\n"


class Catcher:
    """An SMTP server that keeps what it takes; `answers` is what it says to some recipients."""

    def __init__(self) -> None:
        self.caught: list[EmailMessage] = []
        self.answers: dict[str, str] = {}

    def about(self, mail_id: UUID) -> list[EmailMessage]:
        """What was caught of one mail, apart from those that other tests left waiting."""
        return [each for each in self.caught if each["Message-ID"].startswith(f"<{mail_id}@")]

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - likewise
        self.caught.append(message_from_bytes(envelope.content, policy=policy.SMTP))  # type: ignore[arg-type]
        return "250 kept"


def authenticate(
    _server: SMTP, _session: object, _envelope: object, _how: str, said: LoginPassword
) -> AuthResult:
    return AuthResult(success=(said.login, said.password) == (b"post", b"p@ss"), handled=False)


@pytest.fixture
def catcher() -> Catcher:
    return Catcher()


@pytest.fixture
def server(catcher: Catcher) -> Iterator[Controller]:
    made = Controller(
        catcher,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
        enable_SMTPUTF8=True,
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = postmen.post_office()
    yield
    use_post(before)


@pytest.fixture
def over_smtp(app, server: Controller) -> None:
    use_post(
        Post(
            ToServer(f"smtp://post:p%40ss@127.0.0.1:{server.port}"),
            "Acme CRM <crm@acme.test>",
            "https://crm.test",
        )
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def ours(new_workspace) -> Workspace:
    """A tenant that the tests of this module share: each looks at the mails that it wrote."""
    return new_workspace()


def write(workspace, to: str = "zoe@people.test", subject: str = "Grüße from Acme") -> UUID:
    with inside(workspace.home):
        act_as(SYSTEM)
        return post(to=to, subject=subject, text=TEXT)


def job_of(workspace, mail_id: UUID) -> Job:
    with inside(workspace.home):
        jobs = db().scalars(select(Job).where(Job.kind == "mail.send")).all()
        return next(job for job in jobs if job.arguments["mail_id"] == str(mail_id))


def test_a_posted_mail_arrives_as_written_and_its_text_is_forgotten(
    ours, neighbour, run_jobs, over_smtp, catcher
):
    sent, theirs = write(ours), write(neighbour, to="max@next-door.test")

    run_jobs()

    (first,), (second,) = catcher.about(sent), catcher.about(theirs)
    assert first["To"] == "zoe@people.test"
    assert first["From"] == "Acme CRM <crm@acme.test>"
    assert first["Subject"] == "Grüße from Acme"
    assert first["Message-ID"] == f"<{sent}@acme.test>"
    assert first.get_content().replace("\r\n", "\n") == TEXT
    assert second["To"] == "max@next-door.test"
    with inside(ours.home):
        kept = db().get_one(Mail, sent)
        assert kept.sent_at is not None
        assert kept.text is None
        assert db().get(Mail, theirs) is None


def test_what_waits_is_sealed_and_the_job_knows_its_id_only(ours, catcher):
    mail_id = write(ours)

    with inside(ours.home):
        row = db().execute(select(Mail.address, Mail.subject, Mail.text).where(Mail.id == mail_id)).one()
    assert all(b"zoe" not in value.lower() and b"invited" not in value for value in row)
    assert job_of(ours, mail_id).arguments == {"mail_id": str(mail_id)}


def test_a_mail_of_a_transaction_that_failed_is_never_sent(ours, run_jobs, over_smtp, catcher):

    def invite_and_fail() -> None:
        with inside(ours.home):
            act_as(SYSTEM)
            post(to="never@people.test", subject="Hello", text=TEXT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        invite_and_fail()

    run_jobs()

    assert [each["To"] for each in catcher.caught if each["To"] == "never@people.test"] == []


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("zoe@people.test\r\nBcc: everyone@else.test", "Hello"),
        ("zoe@people.test", "Hello\r\nBcc: everyone@else.test"),
        ("zoe@people.test", "Hello\nX: y"),
        ("zoe@people.test", "Hello\u2028Bcc: everyone@else.test"),
        ("a@people.test, b@people.test", "Hello"),
        ("nobody", "Hello"),
        ("", "Hello"),
        ("zoe@people.test", ""),
    ],
)
def test_header_injection_is_refused_before_anything_is_written(acme, to, subject):
    with pytest.raises(Invalid):
        write(acme, to=to, subject=subject)

    assert posted(acme, to) == []


def test_a_server_that_has_no_time_is_asked_again(ours, run_jobs, over_smtp, catcher):
    catcher.answers["later@people.test"] = "451 come back later"
    mail_id = write(ours, to="later@people.test")
    run_jobs()
    waiting = job_of(ours, mail_id)
    assert (waiting.state, waiting.failures, catcher.about(mail_id)) == ("ready", 1, [])

    catcher.answers.clear()
    try_again_now(ours.home)
    run_jobs()

    assert job_of(ours, mail_id).state == "succeeded"
    assert len(catcher.about(mail_id)) == 1


def test_a_mail_that_is_refused_for_good_ends_as_a_failed_job_with_the_reason(
    ours, run_jobs, over_smtp, catcher
):
    catcher.answers["nobody@people.test"] = "550 no such mailbox nobody@people.test"
    mail_id = write(ours, to="nobody@people.test")

    run_jobs()

    failed = job_of(ours, mail_id)
    assert failed.state == "failed"
    assert failed.error == "The mail server refused this mail for good (status 550)."
    assert ours.admin.get(f"/jobs/{failed.id}").json["error"] == failed.error


def test_a_wrong_password_of_ours_is_no_silence(ours, run_jobs, server, catcher):
    use_post(
        Post(ToServer(f"smtp://post:wrong@127.0.0.1:{server.port}"), "crm@acme.test", "https://crm.test")
    )
    mail_id = write(ours)

    run_jobs()

    assert job_of(ours, mail_id).error == "The mail server refused this mail for good (status 535)."


@pytest.mark.parametrize("postman", [ToNobody(), ToServer("smtp://127.0.0.1:1")], ids=["none set", "away"])
def test_without_a_server_a_mail_waits_and_is_not_dropped(ours, run_jobs, postman):
    use_post(Post(postman, "crm@acme.test", "https://crm.test"))
    mail_id = write(ours)

    run_jobs()

    waiting = job_of(ours, mail_id)
    assert (waiting.state, waiting.failures) == ("ready", 1)


def test_encryption_that_was_asked_for_is_not_done_without(ours, run_jobs, server, catcher):
    url = f"smtp+starttls://post:p%40ss@127.0.0.1:{server.port}"
    use_post(Post(ToServer(url), "crm@acme.test", "https://crm.test"))
    mail_id = write(ours)

    run_jobs()

    assert job_of(ours, mail_id).error == "The mail server can't do what this mail needs."
    assert catcher.about(mail_id) == []


def test_in_development_a_mail_is_a_file(ours, run_jobs, tmp_path):
    use_post(Post(ToFolder(tmp_path / "mail"), "Freehold <freehold@localhost>", "http://127.0.0.1:8000"))
    mail_id = write(ours)

    run_jobs()

    file = tmp_path / "mail" / f"{mail_id}.eml"
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] == "Grüße from Acme"


def test_links_keep_their_secret_out_of_what_servers_log(app):
    use_post(Post(ToNobody(), "crm@acme.test", "https://crm.test"))

    assert link("invitation", "fho_1_a b") == "https://crm.test/pages/invitation#fho_1_a%20b"


def test_what_was_sent_days_ago_is_forgotten(ours):
    old, fresh = write(ours), write(ours)
    with inside(ours.home):
        db().execute(update(Mail).where(Mail.id == old).values(sent_at=now() - KEPT - KEPT))
        act_as(SYSTEM)
        tidy_mails()
        assert db().scalars(select(Mail.id).where(Mail.id.in_([old, fresh]))).all() == [fresh]
        db().execute(delete(Mail).where(Mail.id == fresh))
