"""A sealed value opens where it was sealed, under the key it was sealed with, and nowhere else."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.foundation.encryption import (
    Context,
    DataKey,
    Unreadable,
    key_version,
    keyed_hash,
    new_key_material,
    seal,
    unambiguous,
    unseal,
)

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
HERE = Context(OURS, "contacts", "national_number", UUID(int=77))
KEY = DataKey(3, b"\x01" * 32)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(plaintext):
    assert unseal(KEY, seal(KEY, plaintext, HERE), HERE) == plaintext


def test_a_sealed_value_hides_what_it_holds_even_from_those_who_see_an_equal_one():
    first, second = (seal(KEY, b"a very private sentence", HERE) for _ in range(2))
    assert first != second
    assert b"private" not in first


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(HERE, tenant_id=NEIGHBOUR),
        replace(HERE, table="leads"),
        replace(HERE, column="tax_number"),
        replace(HERE, row_id=UUID(int=78)),
        Context(OURS, "contactsnational", "_number", HERE.row_id),
    ],
    ids=["neighbour", "table", "column", "row", "same letters"],
)
def test_a_sealed_value_does_not_open_in_another_place(elsewhere):
    with pytest.raises(Unreadable):
        unseal(KEY, seal(KEY, b"secret", HERE), elsewhere)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=5 + 12 + 6 + 16 - 1), st.integers(min_value=1, max_value=255))
def test_a_sealed_value_does_not_open_with_any_byte_altered(at, difference):
    sealed = bytearray(seal(KEY, b"secret", HERE))
    sealed[at] ^= difference
    with pytest.raises(Unreadable):
        unseal(KEY, bytes(sealed), HERE)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=5 + 12 + 6 + 16 - 1))
def test_a_sealed_value_does_not_open_when_cut(length):
    with pytest.raises(Unreadable):
        unseal(KEY, seal(KEY, b"secret", HERE)[:length], HERE)


@pytest.mark.parametrize(
    "other", [DataKey(3, b"\x02" * 32), DataKey(4, b"\x01" * 32)], ids=["key", "version"]
)
def test_a_sealed_value_does_not_open_with_another_key(other):
    with pytest.raises(Unreadable):
        unseal(other, seal(KEY, b"secret", HERE), HERE)


def test_a_sealed_value_says_which_version_of_the_key_opens_it():
    assert key_version(seal(KEY, b"secret", HERE)) == 3
    with pytest.raises(Unreadable):
        key_version(b"\x01\x00")


def test_a_key_shows_nothing_of_itself():
    assert repr(KEY) == str(KEY) == "DataKey(version=3)"


@pytest.mark.parametrize("take_away", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_can_be_neither_sent_nor_copied(take_away):
    with pytest.raises(TypeError, match="does not leave the process"):
        take_away(KEY)


@pytest.mark.parametrize(("version", "length"), [(0, 32), (2**32, 32), (1, 31), (1, 33), (1, 0)])
def test_a_key_has_32_bytes_and_a_version(version, length):
    with pytest.raises(ValueError, match="data key"):
        DataKey(version, bytes(length))


def test_new_keys_are_never_the_same():
    assert len({new_key_material() for _ in range(100)}) == 100
    assert {len(new_key_material()) for _ in range(3)} == {32}


def test_one_key_serves_many_threads_at_once():
    def there_and_back(number):
        plaintext = str(number).encode() * 1000
        return unseal(KEY, seal(KEY, plaintext, HERE), HERE) == plaintext

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(400)))


def test_equal_values_have_equal_hashes_under_one_key_and_purpose_only():
    hashed = keyed_hash(KEY, "ann@example.com", "sign-in")
    assert hashed == keyed_hash(KEY, "ann@example.com", "sign-in")
    assert hashed != keyed_hash(KEY, "bob@example.com", "sign-in")
    assert hashed != keyed_hash(KEY, "ann@example.com", "portal")
    assert hashed != keyed_hash(DataKey(3, b"\x02" * 32), "ann@example.com", "sign-in")
    assert len(hashed) == 32


@settings(deadline=None)
@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_no_two_lists_of_parts_read_the_same(some, others):
    assert (unambiguous(*some) == unambiguous(*others)) == (some == others)
