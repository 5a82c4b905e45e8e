"""Blueprint: a route names its permission and is one transaction; everything that is policy happens here, once."""

import functools
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import flask_smorest
from flask import Flask, Response, request
from marshmallow import Schema

from tenants.access.caller import acting
from tenants.access.permissions import Permission
from tenants.foundation.tables import Purpose
from tenants.http.bodies import check_body, room_of
from tenants.http.closed import refuse_closed
from tenants.http.course import answer_reading, answer_writing, the_house
from tenants.http.documentation import (
    DESCRIBED_LATER,
    add_what_is_said,
    describe,
    describe_figures,
    describe_one,
    describe_page,
)
from tenants.http.reading import BodyReader, asks, refuse_unread
from tenants.http.rendering import rendered_page, rendered_record
from tenants.http.representation import Resource
from tenants.isolation.door import is_inside

View = Callable[..., Any]


class DescribedBlueprint(flask_smorest.Blueprint):
    """What all routes have in common, whoever they are for: how bodies are read, and when the document is made."""

    ARGUMENTS_PARSER = BodyReader()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepare_doc_cbks.append(add_what_is_said)

    def register_views_in_doc(self, api: Any, app: Flask, *args: Any, **options: Any) -> None:
        """Only when somebody asks for the document: most processes never do, and it takes as long as all else."""
        describe_now = functools.partial(super().register_views_in_doc, api, app, *args, **options)
        app.extensions.setdefault(DESCRIBED_LATER, {}).setdefault(api, []).append(describe_now)

    def asked(self, schema: Schema) -> Callable[[View], View]:
        """The parameters of the address as this schema reads them, before those of the path."""
        read = self.arguments(schema, location="query", error_status_code=422)
        return lambda view: asks(read(view))

    def takes(self, schema: Schema, **options: Any) -> Callable[[View], View]:
        """The body as this schema reads it, before the arguments of the path. Pass an instance, never a class."""
        read, room = self.arguments(schema, error_status_code=422, **options), room_of(schema)

        def decorate(view: View) -> View:
            reading: View = read(view)

            @functools.wraps(reading)
            def run(*args: Any, **kwargs: Any) -> Any:
                if options.get("required", True) or request.content_length:
                    check_body(room)
                return reading(*args, **kwargs)

            run.room = room  # type: ignore[attr-defined]
            return run

        return decorate


class Blueprint(DescribedBlueprint):
    """Routes of one resource, there for one purpose.

    `purpose` and `may` have no defaults: a route that does not say why it is there or what it needs fails at import.
    """

    def __init__(self, *args: Any, purpose: Purpose, **options: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **options)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: View | None = None,
        provide_automatic_options: bool | None = None,  # noqa: FBT001 - Flask's signature
        *,
        may: Permission,
        **options: Any,
    ) -> None:
        assert view_func is not None  # noqa: S101 - Flask passes it always
        described = describe(view_func, may, self.purpose, endpoint or view_func.__name__)
        super().add_url_rule(
            rule, endpoint or view_func.__name__, _guarded(described, may), provide_automatic_options, **options
        )  # fmt: skip

    def page(self, rule: str, resource: Resource, *, may: Permission) -> Callable[[View], View]:
        """A list: the view returns a Selection, the house narrows, filters, sorts, pages and renders it."""
        return self._reading(rule, functools.partial(describe_page, resource=resource), may)

    def one(self, rule: str, resource: Resource, *, may: Permission) -> Callable[[View], View]:
        """A single record: the view returns a Selection that names it."""
        return self._reading(rule, functools.partial(describe_one, resource=resource), may)

    def _reading(
        self, rule: str, describe_answer: Callable[[View], View], may: Permission
    ) -> Callable[[View], View]:
        def decorate(view: View) -> View:
            described = describe_answer(view)
            described.reads = True  # type: ignore[attr-defined]
            self.add_url_rule(rule, view.__name__, described, may=may, methods=["GET"])
            return view

        return decorate

    def answers(self, status: int, resource: Resource) -> Callable[[View], View]:
        """The view returns a record of this resource; it is rendered in the same transaction, with its ETag."""

        def decorate(view: View) -> View:
            view.resource = resource  # type: ignore[attr-defined]

            @functools.wraps(view)
            def run(*args: Any, **kwargs: Any) -> Response:
                made = view(*args, **kwargs)
                return made if isinstance(made, Response) else rendered_record(resource, made, status)

            return self.response(status, resource.schema)(run)  # type: ignore[no-any-return]

        return decorate

    def lists(self, resource: Resource) -> Callable[[View], View]:
        """The view finds a record first, then returns a Selection of what belongs to it: a list in one transaction."""

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def run(*args: Any, **kwargs: Any) -> Response:
                return rendered_page(view(*args, **kwargs))

            return asks(describe_page(run, resource))

        return decorate

    def figures(self, resource: Resource, parameters: list[dict[str, Any]]) -> Callable[[View], View]:
        """The view works something out over the records that the resource's filters choose."""
        return lambda view: asks(describe_figures(view, resource, parameters))

    def takes(self, schema: Schema, *, of: Resource | None = None, **options: Any) -> Callable[[View], View]:
        """As every body is read; what field rules close to the caller can't be said.

        The rules are those of the resource that the view answers with, and those of `of`: a route that changes a
        record of a resource and answers with something else says which.
        """
        taking = super().takes(schema, **options)
        return lambda view: taking(_kept_to_rules(view, schema, of))


def _kept_to_rules(view: View, schema: Schema, of: Resource | None) -> View:
    answered = getattr(view, "resource", None)
    rules = tuple({each.name: each for each in (answered, of) if each is not None}.values())

    @functools.wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        caller = acting().caller if rules and is_inside() else None
        if caller and (caller.fixed or caller.hidden or caller.masked):
            said = json.loads(request.get_data(cache=True) or b"{}")
            for resource in rules:
                refuse_closed(caller, resource, schema, said)
        return view(*args, **kwargs)

    run.body, run.rules = schema, rules  # type: ignore[attr-defined]
    return run


def _guarded(view: View, may: Permission) -> View:
    def heard(**path: Any) -> Any:
        refuse_unread(view)
        return view(**path)

    @functools.wraps(view)
    def run(**path: Any) -> Any:
        house = the_house()
        if may.public:
            return heard(**path)
        if getattr(view, "reads", False):
            return answer_reading(house, view, may, path)
        return answer_writing(house, functools.partial(heard, **path), may, _subject(path))

    return run


def _subject(path: dict[str, Any]) -> UUID | None:
    """The record a request is about: the last id in its path."""
    ids = [value for value in path.values() if isinstance(value, UUID)]
    return ids[-1] if ids else None
