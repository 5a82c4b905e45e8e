"""What a request says is read in one way only: whatever is said twice, where one is meant, is refused."""

import json
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from flask import request
from marshmallow import EXCLUDE
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

from tenants.foundation.errors import Invalid, Malformed

View = TypeVar("View", bound=Callable[..., Any])
LONGEST_NAME = 100
SAFE = ("GET", "HEAD", "OPTIONS")
TWICE = "Given twice: which of them is meant?"


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        _refuse_twice([name for name, _ in pairs])
    return read


def _said_once_in_any_case(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) < len(names):
        _refuse_twice(names)
    return dict(pairs)


def _refuse_twice(names: list[str]) -> None:
    twice = next(name for name in names if names.count(name) > 1)
    # As JSON writes it, so that any name can be shown: RFC 8259, 4, leaves open which of the two a reader takes.
    raise Malformed(f"An object has {json.dumps(twice[:LONGEST_NAME])} twice.")


_READER = json.JSONDecoder(object_pairs_hook=_said_once)
_OF_ANY_CASE = json.JSONDecoder(object_pairs_hook=_said_once_in_any_case)


def read_json(text: str, *, any_case: bool = False) -> Any:
    """What JSON says. Raises Malformed for an object with one name twice, ValueError for what is no JSON.

    With `any_case` names that differ in nothing but that are one name.
    """
    return (_OF_ANY_CASE if any_case else _READER).decode(text)


def refuse_repeated(arguments: MultiDict[str, str], *names: str) -> None:
    """Raises Invalid that names each of these parameters that is given more than once; without names, any."""
    twice = [name for name, values in arguments.lists() if len(values) > 1 and (not names or name in names)]
    if twice:
        raise Invalid(errors={name: [TWICE] for name in twice})


def asks(view: View) -> View:
    """Marks a view that reads the parameters of the address itself, and refuses what it doesn't know."""
    view.asks = True  # type: ignore[attr-defined]
    return view


def refuse_unread(view: Callable[..., Any]) -> None:
    """Raises Invalid that names what the address says to a route that reads nothing there.

    What changes something never does: it is told so in its body.
    """
    if request.method not in SAFE or not getattr(view, "asks", False):
        _refuse_unknown(())


def _refuse_unknown(known: Collection[str]) -> None:
    if unknown := [name for name in request.args if name not in known]:
        raise Invalid(errors={name: ["There is no such parameter."] for name in unknown})


class BodyReader(FlaskParser):
    """Reads JSON bodies; what Python's reader takes and nothing can keep is refused like what is no JSON."""

    def load_querystring(self, req: Any, schema: Any) -> Any:
        refuse_repeated(req.args)
        if schema.unknown != EXCLUDE:
            _refuse_unknown({field.data_key or name for name, field in schema.fields.items()})
        return super().load_querystring(req, schema)

    def load_form(self, req: Any, schema: Any) -> Any:
        refuse_repeated(req.form)
        return super().load_form(req, schema)

    def _raw_load_json(self, req: Any) -> Any:
        if not is_json(req.mimetype):
            return missing
        try:
            content = req.get_data(cache=True)
            read = read_json(content.decode())
            if b"\\u" in content:
                json.dumps(read, ensure_ascii=False).encode()
        except RecursionError:
            raise Malformed("The body is nested too deeply.") from None
        except UnicodeEncodeError:
            raise Malformed("The body holds half of a surrogate pair, which is no text.") from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:
            raise Malformed("The body holds a number of too many digits.") from None
        return read
