"""What is true of every answer, whatever was asked; and which answers are the same word for word."""

import re
from typing import Any

from werkzeug.test import TestResponse

from tenants.http.downloads import POLICY
from tenants.http.security_headers import SECURITY_HEADERS
from tests.operations import Operation

INSIDES = re.compile(r"Traceback|psycopg|sqlalchemy|SELECT |select .* from|File \"|t_[0-9a-f]{32}")


def sound(operation: Operation, answer: TestResponse) -> TestResponse:
    """The same answer, after what must be true of each one was looked at."""
    said = answer.get_data(as_text=True)
    assert answer.status_code < 500, f"{operation} broke: {said}"
    assert operation.documents(answer.status_code), (
        f"{operation} does not document {answer.status_code}: {said}"
    )
    expected = SECURITY_HEADERS | (
        {"Content-Security-Policy": POLICY} if _is_a_file(operation, answer) else {}
    )
    missing = [name for name, value in expected.items() if answer.headers.getlist(name) != [value]]
    assert not missing, f"{operation} answers without {missing}"
    assert answer.headers.get("X-Request-Id"), f"{operation} answers without a request id"
    assert answer.headers.get("Cache-Control") == "no-store", f"{operation} lets its answer be kept"
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json", (
            f"{operation} refuses as {answer.content_type}"
        )
        problem = answer.json
        assert problem["request_id"] == answer.headers["X-Request-Id"]
        assert problem["status"] == answer.status_code
        assert problem["code"]
        assert not INSIDES.search(said), f"{operation} shows its insides: {said}"
    return answer


def words(answer: TestResponse, *ids: str) -> tuple[int, Any]:
    """Status and text of an answer without what differs by nature: the request's id, and these ids."""
    said = answer.get_data(as_text=True)
    for number, each in enumerate((answer.headers["X-Request-Id"], *ids)):
        said = said.replace(each, f"<{number}>" if number == 0 else "<id>")
    return answer.status_code, said


def _is_a_file(operation: Operation, answer: TestResponse) -> bool:
    """Whether somebody else's file is what is sent: it has a stricter policy."""
    return operation.id == "download_attachment" and answer.status_code == 200
