"""What answers in the place of KMS may be anybody, or say what was meant for somebody else: no key is lost by it."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tenants.foundation.encryption import Context, seal, unseal
from tenants.foundation.errors import Unavailable
from tenants.isolation.aws_kms import CHECKED, OURS, AwsKms, Credentials
from tenants.isolation.keys import KeyName, KeyRing, KeyUnopened, KeyWithheld
from tenants.isolation.wrapping import INSTALLATION, LOOK_UPS, Wrapping
from tests.kms import Kms

KEY, THEIRS = b"k" * 32, b"t" * 32
TENANT, NEIGHBOUR = UUID(int=21), UUID(int=22)
NAME, NEXT_DOOR = KeyName(TENANT, 1), KeyName(NEIGHBOUR, 1)
REFUSED = "does not give back what was closed with it"


def saying(name: str, value: Any) -> Callable[[bytes], bytes]:
    """An answer in which one thing is another; nothing at all where it is None."""
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()

    def lie(honest: bytes) -> bytes:
        said = {**json.loads(honest), name: value}
        return json.dumps({each: its for each, its in said.items() if its is not None}).encode()

    return lie


def as_before(wrapper: AwsKms, kms: Kms, key: bytes, name: KeyName) -> bytes:
    """As it was wrapped before there were checks."""
    context = {"tenant": str(name.tenant_id), "version": str(name.version)}
    closed = kms.client.encrypt(KeyId=wrapper.key_id, Plaintext=key, EncryptionContext=context)
    return OURS + closed["CiphertextBlob"]


@pytest.fixture
def wrapper(kms: Kms) -> AwsKms:
    return AwsKms(kms.new_key())


def test_a_key_that_kms_mixes_up_with_a_neighbours_seals_nothing(kms: Kms, wrapper: AwsKms) -> None:
    """It would seal with theirs, and what it sealed would be lost once KMS is right again."""
    kept = {TENANT: [(1, wrapper.wrap(KEY, NAME))], NEIGHBOUR: [(1, wrapper.wrap(THEIRS, NEXT_DOOR))]}
    time = [0.0]
    ring = KeyRing(Wrapping(wrapper), lambda tenant_id: kept[tenant_id], clock=lambda: time[0])
    place = Context(TENANT, "contacts", "national_id", "1")
    sealed = seal(ring.current(TENANT), b"4711", place)
    time[0] = 60.0
    kms.lies["Decrypt"] = saying("Plaintext", THEIRS)
    with pytest.raises(KeyWithheld, match=REFUSED) as caught:
        ring.current(TENANT)
    assert (caught.value.status, caught.value.stable_code) == (503, "key_unusable")
    assert ring.current(NEIGHBOUR).version == 1
    kms.lies.clear()
    time[0] = 62.5
    assert unseal(ring.version(TENANT, 1), sealed, place) == b"4711"


@pytest.mark.parametrize("said", [b"k", b"k" * 31, b"k" * 33, b"k" * 4096, b"", None, "???", 7, [], {}])
def test_what_is_no_key_is_withheld_and_breaks_nothing(kms: Kms, wrapper: AwsKms, said: Any) -> None:
    kept, before = wrapper.wrap(KEY, NAME), as_before(wrapper, kms, KEY, NAME)
    kms.lies["Decrypt"] = saying("Plaintext", said)
    for wrapped in (kept, before):
        ring = KeyRing(Wrapping(wrapper), lambda _tenant, wrapped=wrapped: [(1, wrapped)])
        with pytest.raises(Unavailable):
            ring.current(TENANT)
    look_ups = as_before(wrapper, kms, KEY, INSTALLATION[LOOK_UPS])
    wrapping = Wrapping(wrapper, stored=lambda: look_ups)
    with pytest.raises((KeyWithheld, KeyUnopened)):
        wrapping.hashed("ann@example.com", "email")
    kms.lies.clear()
    assert wrapper.unwrap(kept, NAME) == wrapper.unwrap(before, NAME) == KEY
    assert wrapping.hashed("ann@example.com", "email"), "nothing of it was kept"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"7", b"{", b"<html>", b"\xff" * 100, b"[" * 50_000])
@pytest.mark.parametrize("operation", ["Encrypt", "Decrypt"])
def test_an_answer_that_kms_never_gives_is_a_refusal_in_words(
    kms: Kms, wrapper: AwsKms, operation: str, body: bytes
) -> None:
    wrapped = wrapper.wrap(KEY, NAME)
    kms.lies[operation] = lambda _honest: body
    asked = {"Encrypt": lambda: wrapper.wrap(KEY, NAME), "Decrypt": lambda: wrapper.unwrap(wrapped, NAME)}
    with pytest.raises(KeyWithheld) as caught:
        asked[operation]()
    assert caught.value.status == 503
    assert b"k" * 32 not in str(caught.value).encode()


@pytest.mark.parametrize("blob", [b"x", b"x" * 100, KEY, b"before" + KEY, b"", None, 7])
def test_what_kms_closes_and_does_not_open_again_wraps_no_key(kms: Kms, wrapper: AwsKms, blob: Any) -> None:
    """Whoever kept that, and let go of the key, would have lost all that was sealed with it."""
    kms.lies["Encrypt"] = saying("CiphertextBlob", blob)
    with pytest.raises(KeyWithheld):
        wrapper.wrap(KEY, NAME)


def test_a_key_that_kms_closes_for_somebody_else_is_not_kept(kms: Kms, wrapper: AwsKms) -> None:
    theirs = as_before(wrapper, kms, THEIRS, NAME)[1:]
    kms.lies["Encrypt"] = saying("CiphertextBlob", theirs)
    with pytest.raises(KeyWithheld, match=REFUSED):
        wrapper.wrap(KEY, NAME)


def test_a_kms_that_passes_over_the_context_opens_no_key_under_anothers_name(
    kms: Kms, wrapper: AwsKms
) -> None:
    wrapped = wrapper.wrap(KEY, NAME)
    kms.lies["Decrypt"] = saying("Plaintext", KEY)
    assert wrapper.unwrap(wrapped, NAME) == KEY
    for other in (NEXT_DOOR, KeyName(TENANT, 2)):
        with pytest.raises(KeyWithheld, match=REFUSED):
            wrapper.unwrap(wrapped, other)


def test_what_was_wrapped_before_there_were_checks_opens(kms: Kms, wrapper: AwsKms) -> None:
    before = as_before(wrapper, kms, KEY, NAME)
    assert before[1:2] != CHECKED
    assert wrapper.unwrap(before, NAME) == KEY


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"<AssumeRoleResponse/>", b"<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"],
)
def test_a_role_that_is_given_without_credentials_is_a_refusal(kms: Kms, body: bytes) -> None:
    role = "arn:aws:iam::123456789012:role/freehold"
    kms.trusts[role] = TENANT.hex
    wrapper = AwsKms(kms.new_key(), Credentials("eu-central-1", role, TENANT.hex))
    wrapped = wrapper.wrap(KEY, NAME)
    kms.lies["AssumeRole"] = lambda _honest: body
    with pytest.raises(KeyWithheld):
        wrapper.unwrap(wrapped, NAME)
    kms.lies.clear()
    assert wrapper.unwrap(wrapped, NAME) == KEY


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException"])
def test_a_kms_that_is_asked_too_much_is_asked_again(kms: Kms, wrapper: AwsKms, code: str) -> None:
    time, wrapped = [0.0], wrapper.wrap(KEY, NAME)
    ring = KeyRing(Wrapping(wrapper), lambda _tenant: [(1, wrapped)], clock=lambda: time[0])
    kms.refuses = (code, "Rate exceeded")
    for _ in range(3):
        with pytest.raises(KeyWithheld) as caught:
            ring.current(TENANT)
        assert caught.value.stable_code == "key_unreachable"
    kms.refuses = None
    time[0] += 2.5
    assert ring.current(TENANT).version == 1
