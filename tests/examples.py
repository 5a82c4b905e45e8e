"""What the schemas of the document don't say about good examples, in tables; `tests/asking.py` reads them.

Whoever adds a route reads in the failure of a generated test what to add to these tables, if anything.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from tests.asking import Examples

#: Stands in every text of an example, so that it can be looked for where it must not be.
CANARY = "Zilpzalp"
#: Values of fields whose schema alone doesn't lead to a good one.
VALUES = {
    "billing_country": "IT",
    "confidential": True,
    "document_sha256": "0" * 64,
    "country": "IT",
    "cron": "0 2 * * *",
    "currency": "EUR",
    "discount_percent": "0",
    "domain": lambda number: f"{CANARY.lower()}{number}-{uuid4().hex[:8]}.example.org",
    "due_on": "2999-12-31",
    "encrypt_to": "age1vxw5m5hxar7c9jmyrezhum39fajns2yvulvn5n889w2kka3q4veqan8pl7",
    "email": lambda number: f"{CANARY}{number}@example.test",
    "expected_close_on": "2999-12-31",
    "is_default": False,
    "locale": "de-AT",
    "issuer": "http://127.0.0.1:9",
    "permission": "contacts:read",
    "period": "P1Y",
    "prefix": "A-",
    "quantity": "2",
    "resources": "contacts",
    "resource": "contacts",
    "redirect_uris": "https://app.example.test/back",
    "scopes": "contacts:read",
    "slug": lambda number: f"example{number}-{uuid4().hex[:8]}",
    "tax_rate": "22",
    "time_zone": "Europe/Rome",
    "url": "http://127.0.0.1:9/hook",
    "events": "webhooks.disabled",
    "zone": "Europe/Rome",
    "FieldBody.name": lambda number: f"{CANARY.lower()}_{number}_{uuid4().hex[:8]}",
}
#: What a field refers to where its name doesn't say it; `contact_id` is one of `contacts` anyway.
REFERS = {
    "actor_id": "users",
    "added_by_id": "users",
    "break_glass_id": "users",
    "by_id": "users",
    "closed_by_id": "users",
    "converted_by_id": "users",
    "credential_id": "api-keys",
    "decided_by_id": "users",
    "default_role_id": "roles",
    "deleted_by_id": "users",
    "enabled_by_id": "users",
    "disqualified_by_id": "users",
    "from_stage_id": "stages",
    "grant_id": "access-grants",
    "hand_over_to": "users",
    "invited_by_id": "users",
    "issued_by_id": "users",
    "manager_id": "users",
    "owner_id": "users",
    "placed_by_id": "users",
    "record": "contacts",
    "record_id": "contacts",
    "record_ids": "contacts",
    "released_by_id": "users",
    "role_ids": "roles",
    "replaces_id": "api-keys",
    "schedule_id": "export-schedules",
    "event_id": "notices",
    "webhook_id": "webhooks",
    "staff_id": "users",
    "subject_id": "contacts",
    "team_ids": "teams",
    "to_stage_id": "stages",
    "visit_id": "access-visits",
}
#: What a reference has to be like in these bodies, for a good answer.
STATES = {
    ("PaymentBody", "invoice_id"): "issued-invoices",
    ("CreditNoteBody", "invoice_id"): "issued-invoices",
    ("ShareBody", "record_id"): "shareable-contacts",
}
#: What a body says beside a reference: a line belongs to the invoice that is named with it.
BESIDE = {"invoice-lines": ("invoice_id", "issued-invoices")}
#: Fields that a body has to have beyond what its schema calls required.
WANTED = {"ApiKeyBody": ("name",), "HoldBody": ("record_ids",), "ShareBody": ("user_id",)}
#: Fields that stay out of an example, because a good value depends on what else is there.
LEFT_OUT = {
    ("FieldBody", "choices"),
    ("FieldChangePatch", "choices"),
    ("ExportBody", "resources"),
    ("ExportScheduleBody", "resources"),
    ("ExportScheduleBody", "bucket"),
    ("ExportScheduleChangeBody", "access_key_id"),
    ("ExportScheduleChangeBody", "secret_access_key"),
    ("ShareBody", "expires_at"),
    ("ShareTermsPatch", "expires_at"),
    ("ApiKeyBody", "scopes"),
    ("ApiKeyBody", "expires_at"),
    ("RotationBody", "expires_at"),
    ("SignInBody", "tenant"),
    ("ConversionBody", "company"),
}
#: Forms (multipart) by operation.
FORMS: dict[str, Callable[[Examples], dict[str, Any]]] = {
    "create_attachment": lambda examples: {
        "resource": "contacts",
        "record_id": examples.some("contacts"),
        "file": (io.BytesIO(CANARY.encode()), f"{CANARY} {next(numbers)}.txt"),
    },
    "create_import": lambda _: {
        "resource": "contacts",
        "file": (io.BytesIO(f"last_name\n{CANARY}\n".encode()), "contacts.csv"),
    },
}
#: Tells examples apart.
numbers = itertools.count(1)
