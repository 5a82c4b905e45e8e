"""A signed head vouches for every part of a seal, and for nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.audit.signing import NO_HEAD, SealHead, new_signing_key, sign, verify

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
MOMENT = datetime(2026, 5, 17, 9, 30, 0, 123456, tzinfo=UTC)
HEAD = SealHead(OURS, 7, b"\x0a" * 32, b"\x0b" * 32, 1000, MOMENT)

PRIVATE, PUBLIC = new_signing_key()

CHANGES = {
    "tenant": {"tenant_id": NEIGHBOUR},
    "sequence": {"sequence": 8},
    "previous": {"previous": NO_HEAD},
    "root": {"root": b"\x0c" * 32},
    "count": {"count": 999},
    "moment": {"sealed_at": MOMENT + timedelta(microseconds=1)},
}


def test_a_signed_head_is_verified_by_the_public_key_alone():
    assert verify(PUBLIC, HEAD, sign(PRIVATE, HEAD))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_head_with_any_part_changed_is_not(change):
    changed = replace(HEAD, **change)
    assert not verify(PUBLIC, changed, sign(PRIVATE, HEAD))
    assert changed.digest() != HEAD.digest()


def test_a_head_signed_with_a_neighbours_key_is_not():
    theirs, _ = new_signing_key()
    assert not verify(PUBLIC, HEAD, sign(theirs, HEAD))


@settings(deadline=None)
@given(st.integers(0, 63), st.integers(1, 255))
def test_an_altered_signature_is_not(at, difference):
    signature = bytearray(sign(PRIVATE, HEAD))
    signature[at] ^= difference
    assert not verify(PUBLIC, HEAD, bytes(signature))


@pytest.mark.parametrize("signature", [b"", b"x", bytes(64), bytes(65)])
def test_what_is_no_signature_is_not(signature):
    assert not verify(PUBLIC, HEAD, signature)


def test_the_bytes_of_a_head_never_change():
    assert HEAD.canonical() == (
        b"freehold audit seal 1\n"
        + bytes.fromhex("00000000000000000000000000000001" + "0000000000000007")
        + bytes.fromhex("0a" * 32 + "0b" * 32 + "00000000000003e8")
        + (1_779_010_200_123_456).to_bytes(8)
    )


def test_a_moment_is_the_same_in_every_time_zone():
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-7)))
    assert replace(HEAD, sealed_at=elsewhere).canonical() == HEAD.canonical()


@pytest.mark.parametrize(
    "wrong",
    [
        {"previous": b""},
        {"root": b"\x0b" * 31},
        {"sealed_at": MOMENT.replace(tzinfo=None)},
        {"sequence": 0},
        {"count": -1},
    ],
)
def test_a_head_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"[Ss]eal"):
        replace(HEAD, **wrong)
