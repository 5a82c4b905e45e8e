"""Values of the tenant's own fields in bodies and answers, read by the kind that the tenant gave each field."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import MOST_FIELDS, Definition, Kind, Patch
from tenants.http.representation import Timestamp
from tenants.http.texts import no_nul

DIGITS, PLACES = 18, 6
SMALLEST = Decimal(10) ** -PLACES
LENGTHS = {Kind.TEXT: 1_000, Kind.LONG_TEXT: 10_000, Kind.URL: 2_000, Kind.EMAIL: 254}
NEEDED = "This field needs a value."


class Number(fields.Decimal):
    """A decimal number of up to 18 digits and 6 places, kept without zeros at its end; never a float."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, float | bool):
            raise marshmallow.ValidationError('Write numbers as text, for instance "12.50".')
        read: Decimal = super()._deserialize(value, *args, **kwargs)
        if not read.is_finite() or (read and read.adjusted() >= DIGITS):
            raise marshmallow.ValidationError("Larger than we can keep.")
        kept = read.quantize(SMALLEST) + 0
        if kept != read:
            raise marshmallow.ValidationError(f"At most {PLACES} decimal places.")
        return Decimal(format(kept.normalize(), "f"))


def field_of(each: Definition) -> fields.Field[Any]:
    """How a value of this field is read, in bodies as in files and filters."""
    return _FIELDS[each.kind](each)


def _text(each: Definition) -> fields.Field[Any]:
    return fields.String(validate=[validate.Length(max=LENGTHS[each.kind]), no_nul])


def choice_of(each: Definition) -> fields.Field[Any]:
    return fields.String(validate=validate.OneOf(each.choices, error="Not one of the choices."))


def _choices(each: Definition) -> fields.Field[Any]:
    return fields.List(choice_of(each), validate=[validate.Length(max=len(each.choices)), _once])


def _once(values: list[str]) -> None:
    if len(set(values)) < len(values):
        raise marshmallow.ValidationError("Each choice once.")


_FIELDS: Mapping[Kind, Callable[[Definition], fields.Field[Any]]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.NUMBER: lambda _: Number(),
    Kind.BOOLEAN: lambda _: fields.Boolean(),
    Kind.DATE: lambda _: fields.Date(),
    Kind.DATETIME: lambda _: Timestamp(),
    Kind.CHOICE: choice_of,
    Kind.CHOICES: _choices,
    Kind.URL: lambda each: fields.Url(
        schemes={"http", "https"}, validate=[validate.Length(max=LENGTHS[each.kind]), no_nul]
    ),
    Kind.EMAIL: lambda each: fields.Email(validate=[validate.Length(max=LENGTHS[each.kind]), no_nul]),
}


def as_kept(value: Any) -> Any:
    """A value as the column holds it: numbers are text, days and times are ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def custom_values() -> fields.Field[Any]:
    """The values of a record's own fields, by name, in an answer."""
    text = "Fields of the tenant's own, as far as they have a value: GET /api/v1/fields says which there are."
    return fields.Dict(keys=fields.String(), values=fields.Raw(), metadata={"description": text})


class CustomValues(fields.Dict):
    """The values in a body, checked against the tenant's definitions of a resource's fields.

    A new record gets those that are said, and needs those that are required, unless it `takes_over` some from another
    record; a change is a merge patch, in which null takes a value away.
    """

    def __init__(self, resource: str, *, takes_over: bool = False) -> None:
        self.resource, self._takes_over = resource, takes_over
        text = "Fields of the tenant's own by name, which GET /api/v1/fields lists; null takes a value away."
        super().__init__(
            keys=fields.String(),
            values=fields.Raw(allow_none=True),
            load_default=self._nothing_said,
            metadata={"description": text},
        )

    def _deserialize(self, value: Any, *args: Any, partial: Any = None, **kwargs: Any) -> Any:
        said = super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]
        if len(said) > MOST_FIELDS:
            raise marshmallow.ValidationError(f"At most {MOST_FIELDS} fields.")
        known = definitions(holding=True).of(self.resource) if said else {}
        errors: dict[str, list[str]] = {}
        read = Patch()
        for name, each in said.items():
            try:
                read[name] = read_value(known.get(name), each)
            except marshmallow.ValidationError as error:
                errors[name] = [str(text) for text in _sentences(error.messages)]
        if not partial:
            errors |= {
                name: [NEEDED] for name in self._needed() if read.get(name) is None and name not in errors
            }
        if errors:
            raise marshmallow.ValidationError(errors)
        return read if partial else read.over(None)

    def _nothing_said(self) -> Any:
        if missing := list(self._needed()):
            raise marshmallow.ValidationError({name: [NEEDED] for name in missing})
        return marshmallow.missing

    def _needed(self) -> Iterator[str]:
        """Most tenants have no such fields: then nothing is asked."""
        return iter(()) if self._takes_over else needed(self.resource)


def needed(resource: str) -> Iterator[str]:
    """The fields of a resource that new records have to have a value of."""
    return (name for name, each in definitions().of(resource).items() if each.needed)


def read_value(each: Definition | None, value: Any) -> Any:
    """A value of this field, as the column holds it. Raises marshmallow.ValidationError."""
    if each is None:
        raise marshmallow.ValidationError("There is no such field.")
    if value is None:
        if each.needed:
            raise marshmallow.ValidationError(NEEDED)
        return None
    if each.archived:
        raise marshmallow.ValidationError("This field is archived: its values can be read and taken away.")
    return as_kept(field_of(each).deserialize(value))


def _sentences(messages: Any) -> Iterator[str]:
    if isinstance(messages, dict):
        for inner in messages.values():
            yield from _sentences(inner)
    else:
        yield from dict.fromkeys(map(str, messages))
