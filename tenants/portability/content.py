"""The content hash of a table: equal for two tables exactly when they hold the same rows, in whatever order.

A row is hashed over its values in the order of the columns' names, as SHA-256; a table's hash is the sum of its rows'
(modulo 2^256) with its columns and their number. So it needs no sorting, and no memory that grows with the table.
"""

import hashlib
import json
from collections.abc import Sequence

from tenants.portability.columns import Field, read_json
from tenants.portability.rows import Values, canonical

MODULUS = 1 << 256


class ContentHash:
    """Takes the rows of one table as they come. `besides` names columns that are left aside."""

    def __init__(self, fields: Sequence[Field], besides: Sequence[str] = ()) -> None:
        chosen = [
            (each.name, place, each.kind.document)
            for place, each in enumerate(fields)
            if each.name not in besides
        ]
        self._names = sorted(each[0] for each in chosen)
        self._places = [each[1] for each in sorted(chosen)]
        self._documents = [each[1] for each in chosen if each[2]]
        self.rows, self._sum = 0, 0

    def add(self, values: Values) -> None:
        for place in self._documents:
            if (text := values[place]) is not None:
                values = [*values[:place], canonical(read_json(text)), *values[place + 1 :]]
        row = json.dumps([values[place] for place in self._places]).encode()
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(row).digest())) % MODULUS
        self.rows += 1

    def hexdigest(self) -> str:
        whole = json.dumps([self._names, self.rows, f"{self._sum:064x}"])
        return hashlib.sha256(whole.encode()).hexdigest()
