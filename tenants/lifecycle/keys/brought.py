"""A key that a tenant brings: its own AWS KMS key wraps its data keys, and withdrawing that closes what is sealed."""

import re
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select

from tenants.audit.recording import record_event
from tenants.catalog.models import BroughtKey, TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.encryption import new_key_material
from tenants.foundation.errors import Conflict, Invalid
from tenants.isolation.aws_kms import BROUGHT, AwsKms, Credentials, region_of
from tenants.isolation.door import here
from tenants.isolation.keys import KeyName, KeyWithheld
from tenants.isolation.sealing import keys
from tenants.isolation.wrapping import HouseKey
from tenants.lifecycle.keys.rotation import alone
from tenants.lifecycle.keys.versions import KeyVersions, key_versions

OWNER = "The key that this workspace brought"
KEY_ARN = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):kms:([a-z]{2}(-[a-z]+)+-\d):\d{12}:key/[A-Za-z0-9-]{1,60}\Z"
)
ROLE_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:role/[\w+=,.@/-]{1,200}\Z", re.ASCII)


class BroughtState(StrEnum):
    """Whether a key that a tenant brought can be used. What is not `destroyed` its owner can undo."""

    ACTIVE = "active"
    DISABLED = "disabled"
    PENDING_DELETION = "pending_deletion"
    ACCESS_DENIED = "access_denied"
    UNREACHABLE = "unreachable"
    DESTROYED = "destroyed"


#: What a refusal says of a key that is not ours, by the code of `KeyWithheld`; any other that we can't reach it.
STATES = {
    "key_disabled": BroughtState.DISABLED,
    "key_pending_deletion": BroughtState.PENDING_DELETION,
    "key_access_denied": BroughtState.ACCESS_DENIED,
    "key_not_found": BroughtState.DESTROYED,
}


def brought_by(catalog: Catalog, tenant_id: UUID) -> AwsKms | None:
    """What wraps a tenant's keys, when it brought a key."""
    named = catalog.brought_key(tenant_id)
    return named and _wrapper(tenant_id, *named)


def external_id(tenant_id: UUID) -> str:
    """What the role has to ask for, so that nobody names another's role (AWS: "The confused deputy problem")."""
    return tenant_id.hex


def state_now() -> dict[str, object] | None:
    """The key that the tenant at hand brought, and in which state it is at this moment; None when it brought none."""
    home = here().home
    named = key_versions().catalog.brought_key(home.id)
    if named is None:
        return None
    shown = {"key_arn": named[0], "role_arn": named[1], "external_id": external_id(home.id)}
    state, reason = state_of(home.id, *named)
    return {**shown, "state": state, "reversible": state != BroughtState.DESTROYED, "reason": reason}


def state_of(tenant_id: UUID, key_arn: str, role_arn: str) -> tuple[BroughtState, str | None]:
    """In which state the key of a tenant is at this moment, by trying it; and what is said of it when it is withheld."""
    try:
        _must_work(_wrapper(tenant_id, key_arn, role_arn), tenant_id)
    except KeyWithheld as withheld:
        return STATES.get(withheld.stable_code, BroughtState.UNREACHABLE), withheld.detail
    return BroughtState.ACTIVE, None


def bring(key_arn: str, role_arn: str) -> None:
    """Have this key wrap all versions of the tenant at hand from now on.

    It is tried first, by wrapping and opening. Raises Invalid for what is no ARN, Conflict when the key can't be used.
    """
    _must_be_arns(key_arn, role_arn)
    home, versions = here().home, key_versions()
    theirs = _wrapper(home.id, key_arn, role_arn)
    try:
        _must_work(theirs, home.id)
    except KeyWithheld as refused:
        raise Conflict(f"{refused.detail} It was not accepted.", code="key_does_not_work") from refused
    alone()
    before = versions.catalog.brought_key(home.id)
    row = BroughtKey(tenant_id=home.id, key_arn=key_arn, role_arn=role_arn, brought_at=now())
    record_event("keys.brought", "keys", None, {"key_arn": [before and before[0], key_arn]})
    here().send_pending()  # what can't be put on record is not done: the catalog's commit comes first
    _wrap_again(versions, home.id, theirs, row)


def give_back() -> None:
    """Have our key wrap the tenant's again; theirs has to open them for the last time. Raises KeyWithheld, Conflict."""
    home, versions = here().home, key_versions()
    before = versions.catalog.brought_key(home.id)
    if before is None:
        raise Conflict("This workspace brought no key.", code="no_key_brought")
    alone()
    record_event("keys.given_back", "keys", None, {"key_arn": [before[0], None]})
    here().send_pending()
    _wrap_again(versions, home.id, versions.wrapper.current, None)


def _wrap_again(versions: KeyVersions, tenant_id: UUID, by: HouseKey, row: BroughtKey | None) -> None:
    """All versions wrapped by another key, and the catalog's word on which that is, in one transaction."""
    living = versions.catalog.wrapped_keys(tenant_id)
    again = {}
    for version, wrapped in living:
        name = KeyName(tenant_id, version)
        again[version] = by.wrap(versions.wrapper.unwrap(wrapped, name), name)
    before = dict(living)
    with versions.catalog.transaction() as session:
        kept = select(TenantKey).where(TenantKey.tenant_id == tenant_id, TenantKey.wrapped.is_not(None))
        for each in session.scalars(kept.with_for_update()):
            if each.wrapped != before.get(each.version):
                raise Conflict("The keys are being changed by somebody else. Try again.", code="keys_changed")
            each.wrapped = again[each.version]
        if row is None:
            session.execute(delete(BroughtKey).where(BroughtKey.tenant_id == tenant_id))
        else:
            session.merge(row)
    keys().forget(tenant_id)


def _must_be_arns(key_arn: str, role_arn: str) -> None:
    errors = {}
    if not KEY_ARN.match(key_arn):
        errors["key_arn"] = ["The ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID."]
    if not ROLE_ARN.match(role_arn):
        errors["role_arn"] = ["The ARN of a role: arn:aws:iam::ACCOUNT:role/NAME."]
    if errors:
        raise Invalid(errors=errors)


def _must_work(theirs: AwsKms, tenant_id: UUID) -> None:
    """By wrapping a key, which opens it again. Raises KeyWithheld."""
    theirs.wrap(new_key_material(), KeyName(tenant_id, 2**31))


def _wrapper(tenant_id: UUID, key_arn: str, role_arn: str) -> AwsKms:
    credentials = Credentials(region_of(key_arn), role_arn, external_id(tenant_id))
    return AwsKms(key_arn, credentials, mark=BROUGHT, owner=OWNER)
