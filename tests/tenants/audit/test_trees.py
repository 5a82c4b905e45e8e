"""A root stands for one list, and a proof for one place in it."""

import hashlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tenants.audit.trees import EMPTY_ROOT, inclusion_proof, leaf_hash, root, verify_inclusion

#: The leaves, roots and paths that the Certificate Transparency implementations test themselves with.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in [
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    ]
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

lists_of_leaves = st.lists(st.binary(max_size=5), min_size=1, max_size=40)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("place", PATHS)
def test_proofs_are_those_of_certificate_transparency(place):
    index, size = place
    assert [step.hex() for step in inclusion_proof(LEAVES[:size], index)] == PATHS[place]


def by_the_definition(leaves):
    """MTH of RFC 6962, section 2.1, word for word."""
    if len(leaves) == 0:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_the_definition(leaves[:k]) + by_the_definition(leaves[k:])).digest()


@settings(deadline=None)
@given(st.lists(st.binary(max_size=5), max_size=70))
def test_a_root_is_what_the_definition_says(leaves):
    assert root(leaves) == by_the_definition(leaves)


@settings(deadline=None)
@given(lists_of_leaves)
def test_every_leaf_is_proved_at_its_place(leaves):
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        assert len(proof) <= (len(leaves) - 1).bit_length()
        assert verify_inclusion(leaf, index, len(leaves), proof, root(leaves))


@settings(deadline=None)
@given(lists_of_leaves, st.data())
def test_no_other_leaf_place_size_or_root_is_proved(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top, size = inclusion_proof(leaves, index), root(leaves), len(leaves)
    other = data.draw(st.binary(max_size=5).filter(lambda leaf: leaf != leaves[index]))
    assert not verify_inclusion(other, index, size, proof, top)
    for place in {-1, *range(size + 2)} - {index}:
        if not (0 <= place < size and leaves[place] == leaves[index]):
            assert not verify_inclusion(leaves[index], place, size, proof, top)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(top))
    assert not verify_inclusion(leaves[index], index, 0, proof, top)


@settings(deadline=None)
@given(lists_of_leaves, st.data())
def test_a_proof_with_anything_changed_proves_nothing(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top, leaf = inclusion_proof(leaves, index), root(leaves), leaves[index]
    assert not verify_inclusion(leaf, index, len(leaves), [*proof, bytes(32)], top)
    assume(proof)
    assert not verify_inclusion(leaf, index, len(leaves), proof[:-1], top)
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:at], leaf_hash(proof[at]), *proof[at + 1 :]]
    assert not verify_inclusion(leaf, index, len(leaves), changed, top)


@settings(deadline=None)
@given(lists_of_leaves, st.data())
def test_a_list_with_anything_changed_has_another_root(leaves, data):
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=5).filter(lambda leaf: leaf != leaves[at]))
    assert root([*leaves[:at], other, *leaves[at + 1 :]]) != root(leaves)
    assert root(leaves[:at] + leaves[at + 1 :]) != root(leaves)
    assert root([*leaves, leaves[-1]]) != root(leaves)
    if leaves != leaves[::-1]:
        assert root(leaves[::-1]) != root(leaves)


def test_two_nodes_are_not_taken_for_a_leaf():
    forged = leaf_hash(LEAVES[0]) + leaf_hash(LEAVES[1])
    assert root([forged]) != root(LEAVES[:2])


def test_a_leaf_that_is_not_there_has_no_proof():
    for index in (-1, 8, 100):
        with pytest.raises(IndexError, match="There is no leaf"):
            inclusion_proof(LEAVES, index)
    assert not verify_inclusion(b"", 0, 0, [], EMPTY_ROOT)
