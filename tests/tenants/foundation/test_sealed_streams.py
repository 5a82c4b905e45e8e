"""A sealed stream gives back what went in, or says that it can't."""

import tracemalloc
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.foundation.encryption import Context, DataKey, Unreadable, seal
from tenants.foundation.sealed_streams import CHUNK_BYTES, seal_stream, unseal_stream
from tenants.isolation.keys import KeyWithheld

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
HERE = Context(OURS, "exports", "file", UUID(int=5))
KEY = DataKey(2, b"\x01" * 32)
HEADER = 5 + 32
SEALED_CHUNK = CHUNK_BYTES + 16


def sealed(plaintext, context=HERE, key=KEY):
    return b"".join(seal_stream(key, [plaintext], context))


def opened(stream, context=HERE, key=KEY):
    return b"".join(unseal_stream(lambda _version: key, [stream], context))


def some_bytes(length):
    return (b"0123456789abcdef" * (length // 16 + 1))[:length]


@pytest.mark.parametrize(
    "length", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_what_is_sealed_opens_again(length):
    plaintext = some_bytes(length)
    stream = sealed(plaintext)
    assert opened(stream) == plaintext
    assert len(stream) == HEADER + length + 16 * max(1, -(-length // CHUNK_BYTES))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(0, 700_000), max_size=5),
    st.lists(st.integers(1, 900_000), min_size=1, max_size=5),
)
def test_the_sizes_it_comes_in_make_no_difference(written, read):
    pieces = [some_bytes(length) for length in written]
    stream = b"".join(seal_stream(KEY, pieces, HERE))
    arriving, at = [], 0
    while at < len(stream):
        size = read[len(arriving) % len(read)]
        arriving.append(stream[at : at + size])
        at += size
    assert b"".join(unseal_stream(lambda _version: KEY, arriving, HERE)) == b"".join(pieces)


@pytest.mark.parametrize(
    "length",
    [0, 4, HEADER - 1, HEADER, HEADER + 16, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK, -1],
)
def test_a_stream_that_was_cut_short_is_noticed(length):
    with pytest.raises(Unreadable):
        opened(sealed(some_bytes(2 * CHUNK_BYTES + 5))[:length])


def test_a_stream_that_goes_on_after_its_end_is_noticed():
    stream = sealed(some_bytes(CHUNK_BYTES))
    with pytest.raises(Unreadable):
        opened(stream + b"more")
    with pytest.raises(Unreadable):
        opened(stream + stream[HEADER:])


def test_chunks_that_changed_places_are_noticed():
    stream = sealed(some_bytes(CHUNK_BYTES) + some_bytes(CHUNK_BYTES) + b"end")
    first, second = (
        stream[HEADER : HEADER + SEALED_CHUNK],
        stream[HEADER + SEALED_CHUNK : HEADER + 2 * SEALED_CHUNK],
    )
    with pytest.raises(Unreadable):
        opened(stream[:HEADER] + second + first + stream[HEADER + 2 * SEALED_CHUNK :])


def test_a_chunk_of_another_stream_is_noticed():
    one, other = (sealed(some_bytes(CHUNK_BYTES) + b"end") for _ in range(2))
    with pytest.raises(Unreadable):
        opened(one[: HEADER + SEALED_CHUNK] + other[HEADER + SEALED_CHUNK :])


@pytest.mark.parametrize("at", [0, 1, 4, 5, HEADER - 1, HEADER, HEADER + CHUNK_BYTES, -1])
def test_an_altered_byte_is_noticed(at):
    stream = bytearray(sealed(some_bytes(CHUNK_BYTES + 5)))
    stream[at] ^= 1
    with pytest.raises(Unreadable):
        opened(bytes(stream))


@pytest.mark.parametrize(
    "elsewhere",
    [replace(HERE, tenant_id=NEIGHBOUR), replace(HERE, table="imports"), replace(HERE, row_id=UUID(int=6))],
    ids=["neighbour", "table", "row"],
)
def test_a_stream_does_not_open_in_another_place(elsewhere):
    with pytest.raises(Unreadable):
        opened(sealed(b"secret"), context=elsewhere)


def test_a_stream_does_not_open_with_another_key():
    with pytest.raises(Unreadable):
        opened(sealed(b"secret"), key=DataKey(2, b"\x02" * 32))
    with pytest.raises(Unreadable):
        opened(sealed(b"secret"), key=DataKey(1, b"\x01" * 32))


def test_a_value_and_a_stream_are_never_taken_for_one_another():
    with pytest.raises(Unreadable):
        opened(seal(KEY, b"a value long enough to hold a header and a tag", HERE))


def test_the_key_is_asked_for_by_the_version_in_the_stream():
    asked = []
    stream = sealed(b"secret")
    list(unseal_stream(lambda version: asked.append(version) or KEY, [stream], HERE))
    assert asked == [2]


def test_nothing_false_is_ever_handed_out():
    stream = bytearray(sealed(some_bytes(3 * CHUNK_BYTES)))
    stream[HEADER + SEALED_CHUNK + 100] ^= 1
    pieces = unseal_stream(lambda _version: KEY, [bytes(stream)], HERE)
    assert next(pieces) == some_bytes(CHUNK_BYTES)
    with pytest.raises(Unreadable):
        next(pieces)


def test_memory_does_not_grow_with_the_stream():
    def many():
        for _ in range(640):
            yield bytes(100_000)

    tracemalloc.start()
    try:
        through = unseal_stream(lambda _version: KEY, seal_stream(KEY, many(), HERE), HERE)
        assert sum(len(piece) for piece in through) == 64_000_000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16_000_000


def test_whoever_reads_slowly_gets_nothing_more_once_the_key_is_withdrawn():
    allowed = [True]

    def key_of(_version):
        if not allowed:
            raise KeyWithheld("It was disabled.", code="key_disabled")
        return KEY

    pieces = unseal_stream(key_of, [sealed(some_bytes(3 * CHUNK_BYTES))], HERE)
    assert next(pieces) == some_bytes(CHUNK_BYTES)
    allowed.clear()
    with pytest.raises(KeyWithheld):
        next(pieces)
