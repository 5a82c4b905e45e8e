"""Keys of a bundle's rows, remembered while it is read: none comes twice, and every reference finds its row."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from tenants.portability.described import DescribedTable
from tenants.portability.rows import Values

Key = bytes


class Keys:
    """The keys of all tables. A reference to a row that is yet to come waits until everything was read."""

    def __init__(self, tables: Iterable[DescribedTable]) -> None:
        self._seen: dict[str, set[Key]] = {each.name: set() for each in tables}
        self._waiting: list[tuple[DescribedTable, int, str, str, Key]] = []

    def look_at(self, table: DescribedTable) -> "TableKeys":
        return TableKeys(self, table)

    def unresolved(self) -> Iterator[tuple[DescribedTable, int, str]]:
        """What still points nowhere once everything was read: the table, the row, and what is wrong."""
        for table, row, field, target, key in self._waiting:
            if key not in self._seen.get(target, ()):
                yield table, row, f"{field} refers to a row that is not in {target}"

    def has(self, table: str, key: Key) -> bool:
        return key in self._seen.get(table, ())

    def wait_for(self, table: DescribedTable, row: int, field: str, target: str, key: Key) -> None:
        self._waiting.append((table, row, field, target, key))

    def remember(self, table: str, key: Key) -> bool:
        """Whether it is new."""
        seen = self._seen[table]
        before = len(seen)
        seen.add(key)
        return len(seen) > before


class TableKeys:
    """The rows of one table, as they come."""

    def __init__(self, keys: Keys, table: DescribedTable) -> None:
        self._keys, self._table = keys, table
        places = {each.name: place for place, each in enumerate(table.fields)}
        self._key = [places[name] for name in table.key]
        self._unique = [(name, places[name], set[Key]()) for name in table.unique if (name,) != table.key]
        self._references = [(each.field, places[each.field], each.table) for each in table.references]

    def wrong_with(self, row: int, values: Values) -> Iterator[str]:
        """What is wrong with a row's keys and references, as far as it can be known yet."""
        if not self._keys.remember(self._table.name, key_of([values[place] for place in self._key])):
            yield "its key has come before"
        for name, place, seen in self._unique:
            if values[place] is not None:
                key = key_of([values[place]])
                if key in seen:
                    yield f"{name} has to be unique, and this value has come before"
                seen.add(key)
        for name, place, target in self._references:
            if values[place] is not None:
                key = key_of([values[place]])
                if not self._keys.has(target, key):
                    self._keys.wait_for(self._table, row, name, target, key)


def key_of(values: Values) -> Key:
    """Sixteen bytes for a key of any length, so that millions of them fit into memory."""
    return blake2b("\0".join(map(str, values)).encode(), digest_size=16).digest()
