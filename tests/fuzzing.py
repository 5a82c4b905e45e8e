"""Requests that schemathesis makes from a document, each with an answer that the document foresees."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
#: Requests for each operation and role: of these many, half are wrong in what they say.
SOME, MANY = 1, 5


def send(
    operation: Any, headers: Mapping[str, str], ids: Mapping[str, str], many: int, *, away: int | None = None
) -> None:
    """So many requests to one operation, about what `ids` name; `away` is a fault that is foreseen for now."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 1 if many == SOME else 2]:
        named = {"path_parameters": dict(ids)} if ids else {}
        try:
            _run(operation.as_strategy(generation_mode=mode, **named), headers, many, away)
        except Unsatisfiable:
            # About a request without a body and a query nothing can be said wrong.
            assert mode is GenerationMode.NEGATIVE


def _run(strategy: Any, headers: Mapping[str, str], many: int, away: int | None) -> None:
    @given(case=strategy)
    @settings(
        max_examples=many,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(headers=dict(headers))
        case.validate_response(answer, checks=list(CHECKS[1:] if answer.status_code == away else CHECKS))

    ask()
