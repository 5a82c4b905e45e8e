"""Keys are wrapped by a key of AWS KMS, and every way in which it is withheld is a sentence of its own."""

from uuid import UUID

import pytest

from tenants.foundation.encryption import Unreadable
from tenants.isolation.aws_kms import AwsKms, Credentials
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyName, KeyRing, KeyWithheld
from tenants.isolation.wrapping import INSTALLATION, LOOK_UPS, Wrapping, house_key
from tests.kms import Kms

KEY = b"k" * 32
OURS, NEIGHBOUR = UUID(int=11), UUID(int=12)
NAME = KeyName(OURS, 1)


def refused(ask) -> KeyWithheld:
    with pytest.raises(KeyWithheld) as caught:
        ask()
    return caught.value


def test_a_key_comes_back_under_its_own_name_only(kms: Kms) -> None:
    wrapper = AwsKms(kms.new_key())
    wrapped = wrapper.wrap(KEY, NAME)
    assert KEY not in wrapped
    assert wrapper.unwrap(wrapped, NAME) == KEY
    for other in (KeyName(NEIGHBOUR, 1), KeyName(OURS, 2)):
        with pytest.raises(Unreadable):
            wrapper.unwrap(wrapped, other)
    with pytest.raises(Unreadable):
        AwsKms(kms.new_key()).unwrap(wrapped, NAME)
    with pytest.raises(Unreadable):
        wrapper.unwrap(b"\x01" + wrapped[1:], NAME)


def test_a_disabled_key_opens_nothing_until_it_is_enabled_again(kms: Kms) -> None:
    arn = kms.new_key()
    wrapper = AwsKms(arn)
    wrapped = wrapper.wrap(KEY, NAME)
    kms.disable(arn)
    for ask in (lambda: wrapper.unwrap(wrapped, NAME), lambda: wrapper.wrap(KEY, NAME)):
        refusal = refused(ask)
        assert (refusal.status, refusal.stable_code) == (503, "key_disabled")
        assert refusal.detail.startswith("The key of keys is disabled, so what is sealed can't be opened")
        assert arn in str(refusal)
        assert arn not in refusal.detail, "callers are not told whose key it is"
    kms.enable(arn)
    assert wrapper.unwrap(wrapped, NAME) == KEY


def test_a_key_that_waits_to_be_deleted_opens_nothing(kms: Kms) -> None:
    arn = kms.new_key()
    wrapper = AwsKms(arn)
    wrapped = wrapper.wrap(KEY, NAME)
    kms.delete_later(arn)
    assert refused(lambda: wrapper.unwrap(wrapped, NAME)).stable_code == "key_pending_deletion"


def test_a_key_that_we_may_not_use_or_that_is_not_there_is_told_apart(kms: Kms) -> None:
    arn = kms.new_key()
    kms.deny(arn)
    assert refused(lambda: AwsKms(arn).wrap(KEY, NAME)).stable_code == "key_access_denied"
    never = AwsKms("arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000")
    assert refused(lambda: never.wrap(KEY, NAME)).stable_code == "key_not_found"


def test_a_kms_that_is_away_is_said_to_be(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = kms.new_key()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    refusal = refused(lambda: AwsKms(arn).wrap(KEY, NAME))
    assert (refusal.status, refusal.stable_code) == (503, "key_unreachable")


def test_a_role_is_taken_anew_each_time_and_only_with_the_id_that_it_asks_for(kms: Kms) -> None:
    arn, role = kms.new_key(), "arn:aws:iam::123456789012:role/freehold"
    kms.trusts[role] = OURS.hex
    wrapper = AwsKms(arn, Credentials("eu-central-1", role, OURS.hex))
    wrapped = wrapper.wrap(KEY, NAME)
    assert wrapper.unwrap(wrapped, NAME) == KEY
    confused = AwsKms(arn, Credentials("eu-central-1", role, NEIGHBOUR.hex))
    assert refused(lambda: confused.unwrap(wrapped, NAME)).stable_code == "key_access_denied"
    del kms.trusts[role]
    assert refused(lambda: wrapper.unwrap(wrapped, NAME)).stable_code == "key_access_denied"


def test_look_ups_ask_kms_once_and_never_again(kms: Kms) -> None:
    kms.client.create_alias(AliasName="alias/look-ups", TargetKeyId=kms.new_key())
    key = house_key("aws-kms://alias/look-ups")
    stored = Wrapping(key).secret_to_store()
    wrapping = Wrapping(key, stored=lambda: stored)
    kms.asked.clear()
    hashed = [wrapping.hashed(f"{number}@example.com", "email") for number in range(5)]
    assert kms.asked == ["Decrypt"]
    assert len(set(hashed)) == 5
    assert hashed[0] == Wrapping(key, stored=lambda: stored).hashed("0@example.com", "email")


def test_look_ups_stay_the_same_when_another_key_takes_over(kms: Kms, tmp_path) -> None:
    file = LocalKeyFile.made_if_missing(tmp_path / "key")
    before = file.hashed("ann@example.com", "email")
    key = AwsKms(kms.new_key())
    both = Wrapping(key, file)
    assert both.hashed("ann@example.com", "email") == before
    stored = both.secret_to_store()
    assert stored[:1] == b"\x03"
    assert Wrapping(key, stored=lambda: stored).hashed("ann@example.com", "email") == before
    assert key.unwrap(stored, INSTALLATION[LOOK_UPS]) == file.look_up_secret()


def test_a_ring_is_closed_within_a_minute_and_opens_again(kms: Kms) -> None:
    arn, time = kms.new_key(), [0.0]
    wrapping = Wrapping(AwsKms(arn))
    kept = {each: [(1, wrapping.wrap(KEY, KeyName(each, 1)))] for each in (OURS, NEIGHBOUR)}
    ring = KeyRing(wrapping, lambda tenant_id: kept[tenant_id], clock=lambda: time[0])
    assert ring.current(OURS).version == 1
    kms.disable(arn)
    time[0] = 59.0
    assert ring.current(OURS).version == 1
    time[0] = 60.0
    kms.asked.clear()
    for _ in range(3):
        assert refused(lambda: ring.current(OURS)).stable_code == "key_disabled"
    assert kms.asked == ["Decrypt"], "it is not asked for every request"
    kms.enable(arn)
    time[0] = 62.5
    assert (ring.current(OURS).version, ring.current(NEIGHBOUR).version) == (1, 1)
