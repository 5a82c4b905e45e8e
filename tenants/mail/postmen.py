"""Who carries mails out of the house: an SMTP server, a folder in development, or nobody."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

from tenants.foundation.cutting_off import cut_off_after
from tenants.foundation.errors import Conflict, Unavailable
from tenants.foundation.kept_secrets import write_privately
from tenants.foundation.outbound import ANY_HOST, processor
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Purpose

log = structlog.get_logger(__name__)
#: Whoever runs the program names the host in FREEHOLD_SMTP_URL; tenants can't. It may well be a private one.
MAIL_SERVER = processor("mail server", purposes=[Purpose.ACCOUNT, Purpose.SECURITY], hosts=[ANY_HOST])
SECONDS_A_STEP = 20
SECONDS_IN_ALL = 60
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
PERMANENT = 500


class Postman(Protocol):
    """Takes a mail. Raises Unavailable when it may be tried again, Conflict when there is no use."""

    def deliver(self, message: EmailMessage) -> None: ...


@dataclass(frozen=True, slots=True)
class ToServer:
    """Hands mails to the SMTP server of the settings: `smtps` and `smtp+starttls` are encrypted or nothing is sent."""

    url: str

    def deliver(self, message: EmailMessage) -> None:
        host = urlsplit(self.url).hostname or ""
        try:
            with self._connection(host) as connection:
                connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Conflict("The mail server can't do what this mail needs.", code="mail_refused") from error
        except (smtplib.SMTPException, OSError) as error:
            log.warning("mail_server_away", host=host, error=type(error).__name__)
            raise Unavailable("The mail server can't be reached, or broke off.") from error
        log.info("outbound", processor=MAIL_SERVER.name, purpose="account", host=host, outcome="answered")

    @contextmanager
    def _connection(self, host: str) -> Iterator[smtplib.SMTP]:
        parts = urlsplit(self.url)
        port = parts.port or PORTS[parts.scheme]
        trust = ssl.create_default_context()
        connection = (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS_A_STEP, context=trust)
            if parts.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=SECONDS_A_STEP)
        )
        with cut_off_after(SECONDS_IN_ALL, lambda: connection.sock), connection:
            if parts.scheme == "smtp+starttls":
                connection.starttls(context=trust)
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
            yield connection


@dataclass(frozen=True, slots=True)
class ToFolder:
    """Writes mails as .eml files, for developers: any mail program opens them."""

    folder: Path

    def deliver(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        write_privately(self.folder / f"{name}.eml", message.as_string())


class ToNobody:
    """In production without a mail server: nothing is dropped, every mail waits and then fails with the reason."""

    def deliver(self, message: EmailMessage) -> None:  # noqa: ARG002 - the same for every mail
        raise Unavailable("There is no mail server: FREEHOLD_SMTP_URL is not set.")


@dataclass(frozen=True, slots=True)
class Post:
    """How mails leave this process, from which address, and where their links lead."""

    postman: Postman
    sender: str
    public_url: str


_post: list[Post] = []


def use_post(post: Post) -> None:
    """Say once, at start-up, how mails leave."""
    _post[:] = [post]


def post_office() -> Post:
    """How mails leave this process."""
    return _post[0]


def post_of(settings: Settings) -> Post:
    """What the settings say about mails."""
    postman: Postman = ToNobody()
    if settings.smtp_url:
        postman = ToServer(settings.smtp_url)
    elif settings.environment == "development":
        postman = ToFolder(settings.data_dir.absolute() / "mail")
    return Post(postman, settings.mail_from, settings.public_url)


def _refused(status: int, said: bytes | str) -> Conflict | Unavailable:
    """5xx is final (RFC 5321, 4.2.1), anything else may pass later."""
    # What a server says may repeat the address; the sentence for the job keeps to the status.
    log.warning("mail_refused", status=status, length=len(said))
    if status >= PERMANENT:
        return Conflict(f"The mail server refused this mail for good (status {status}).", code="mail_refused")
    return Unavailable(f"The mail server does not take this mail now (status {status}).")
