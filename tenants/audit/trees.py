"""Hash trees as in Certificate Transparency (RFC 6962, section 2.1): one root stands for a whole list.

Leaves and nodes are hashed with different first bytes, so that neither can be passed off as the other.
"""

import hashlib
import hmac
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaves in this order."""
    return _root_of_level([leaf_hash(leaf) for leaf in leaves])


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from one leaf to the root, lowest first."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"There is no leaf {index} among {len(leaves)}.")
    level, proof = [leaf_hash(leaf) for leaf in leaves], []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            proof.append(level[beside])
        level, index = _level_above(level), index // 2
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether this leaf stands at this place of the list that the root stands for.

    A proof can hold for lists of several sizes: take the size from where the root is signed.
    """
    if not 0 <= index < size:
        return False
    hashed, last, rest = leaf_hash(leaf), size - 1, list(reversed(proof))
    while last:
        # The last node of an odd level has nobody beside it and goes up as it is.
        if index % 2 or index < last:
            if not rest:
                return False
            beside = rest.pop()
            hashed = _node_hash(beside, hashed) if index % 2 else _node_hash(hashed, beside)
        index, last = index // 2, last // 2
    return not rest and hmac.compare_digest(hashed, root)


def _root_of_level(level: list[bytes]) -> bytes:
    while len(level) > 1:
        level = _level_above(level)
    return level[0] if level else EMPTY_ROOT


def _level_above(level: list[bytes]) -> list[bytes]:
    above = [_node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return above + level[-1:] if len(level) % 2 else above
