"""One plain mail as the Internet writes it (RFC 5322); what would smuggle in a second header is refused."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid

LONGEST_SUBJECT = 200


def usable_address(address: str) -> str:
    """The address as it is written to. Raises Invalid for what is none."""
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise Invalid(errors={"email": ["This is not an e-mail address."]}) from None


def usable_subject(subject: str) -> str:
    """Raises Invalid for a subject of more than one line, or one that nobody reads to its end."""
    if not subject.isprintable() or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Invalid(errors={"subject": [f"One line of at most {LONGEST_SUBJECT} characters."]})
    return subject


def one_line(text: str, longest: int) -> str:
    """What somebody is called, fit for a subject or a sentence: no line breaks, no links to click, not too long."""
    plain = "".join(each if each.isprintable() else " " for each in text).replace("://", " ").split()
    return " ".join(plain)[:longest].strip()


def message(mail_id: UUID, sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """The mail. Its Message-ID stays the same however often it is tried, so that readers see it once."""
    name, address = parseaddr(sender)
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(display_name=name, addr_spec=address)
    made["To"] = Address(addr_spec=usable_address(to))
    made["Subject"] = usable_subject(subject)
    made["Date"] = format_datetime(now())
    made["Message-ID"] = f"<{mail_id}@{address.rpartition('@')[2]}>"
    # Answering machines keep quiet (RFC 3834).
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text)
    return made
