"""What is sent and what comes back: whole, to whoever the certificate names, within limits of size and time."""

import time

import pytest
import structlog

from tenants.foundation.exchange import Limits, OutboundFailed, Request
from tenants.foundation.outbound import Outbound
from tenants.foundation.tables import Purpose
from tests.strangers import Authority, replying, talking, web_server
from tests.tenants.foundation.sending import at, send

pytestmark = pytest.mark.usefixtures("no_processors")


def test_a_request_goes_out_as_it_was_meant_and_its_answer_comes_back(hooks, door):
    with web_server(replying(201, b"made", **{"X-Id": "7"})) as server:
        url = f"http://127.0.0.1:{server.port}/a%20b/ü?q=1&r=%20ö#part"
        answer = door.send(hooks, Request("POST", url, {"X-Signature": "s"}, b"hello"), purpose=Purpose.SALES)
    assert (answer.status, answer.headers["x-id"], answer.body) == (201, "7", b"made")
    [seen] = server.requests
    assert (seen.method, seen.path, seen.body) == ("POST", "/a%20b/%C3%BC?q=1&r=%20%C3%B6", b"hello")
    assert seen.headers["Host"] == f"127.0.0.1:{server.port}"
    assert (seen.headers["X-Signature"], seen.headers["User-Agent"]) == ("s", "Freehold")
    assert seen.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_a_caller_can_not_say_whom_it_speaks_to_or_where_it_ends(name):
    with pytest.raises(ValueError, match="can't set"):
        Request("POST", "https://example.com/", {name: "x"})


@pytest.mark.parametrize("headers", [{"X": "a\r\nHost: b"}, {"X\r\nY": "a"}])
def test_a_header_can_not_smuggle_another(hooks, door, headers):
    with web_server(replying(200)) as server, pytest.raises(ValueError, match="Invalid header"):
        door.send(hooks, Request("POST", f"http://127.0.0.1:{server.port}/", headers), purpose=Purpose.SALES)
    assert server.requests == []


def test_a_redirect_is_not_followed(hooks, door):
    with web_server(replying(200)) as inside:
        elsewhere = f"http://127.0.0.1:{inside.port}/secret"
        with web_server(replying(302, Location=elsewhere)) as server:
            answer = send(door, hooks, f"http://127.0.0.1:{server.port}/")
    assert (answer.status, answer.headers["location"]) == (302, elsewhere)
    assert inside.requests == []


def test_no_proxy_is_asked(hooks, door, monkeypatch):
    with web_server(replying(200)) as proxy, web_server(replying(204)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(door, hooks, f"http://127.0.0.1:{server.port}/").status == 204
    assert proxy.requests == []


def test_the_next_address_is_tried_when_one_takes_no_connection(hooks):
    with web_server(replying(200)) as server:
        door = Outbound(allow_loopback=True, resolver=at("::1", "127.0.0.1"))
        assert send(door, hooks, f"http://example.com:{server.port}/").status == 200
    assert len(server.requests) == 1


def test_nobody_there_is_said(hooks, door):
    with web_server(replying(200)) as server:
        pass
    with pytest.raises(OutboundFailed, match=r"127.0.0.1 can't be reached"):
        send(door, hooks, f"http://127.0.0.1:{server.port}/")


def test_what_goes_out_is_logged_without_what_it_says(hooks, door):
    with web_server(replying(200)) as server, structlog.testing.capture_logs() as logs:
        door.send(
            hooks,
            Request("POST", f"http://127.0.0.1:{server.port}/ann?mail=ann@example.com", body=b"private"),
            purpose=Purpose.SALES,
        )
    [line] = logs
    assert (line["processor"], line["purpose"], line["host"], line["status"]) == (
        *("webhooks", "sales", "127.0.0.1"),
        200,
    )
    assert "ann" not in str(logs)
    assert "private" not in str(logs)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_a_certificate_in_the_name_of_the_host_is_believed(hooks, authority):
    with web_server(replying(200), authority.server_context("api.example.com")) as server:
        door = Outbound(allow_loopback=True, resolver=at("127.0.0.1"), trust=authority.trust)
        answer = send(door, hooks, f"https://api.example.com:{server.port}/")
    assert answer.status == 200
    assert server.names == ["api.example.com"]
    assert server.requests[0].headers["Host"] == f"api.example.com:{server.port}"


def test_a_certificate_in_another_name_is_not_believed(hooks, authority):
    with web_server(replying(200), authority.server_context("api.example.com")) as server:
        door = Outbound(allow_loopback=True, resolver=at("127.0.0.1"), trust=authority.trust)
        for url in (f"https://example.com:{server.port}/", f"https://127.0.0.1:{server.port}/"):
            with pytest.raises(OutboundFailed, match="can't be trusted"):
                send(door, hooks, url)
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_believed(hooks, authority):
    with web_server(replying(200), authority.server_context("api.example.com")) as server:
        door = Outbound(allow_loopback=True, resolver=at("127.0.0.1"))
        with pytest.raises(OutboundFailed, match="can't be trusted"):
            send(door, hooks, f"https://api.example.com:{server.port}/")
    assert server.requests == []


def test_an_answer_of_the_largest_size_is_taken_and_a_larger_one_is_not(hooks, door):
    with web_server(replying(200, b"x" * 1000)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert len(send(door, hooks, url, limits=Limits(bytes=1000)).body) == 1000
        with pytest.raises(OutboundFailed, match="more than 999 bytes"):
            send(door, hooks, url, limits=Limits(bytes=999))


def drop_by_drop(start):
    def speech(connection):
        connection.recv(4096)
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return speech


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff0\r\n",
    ],
    ids=["status", "header", "body", "body without end", "chunk"],
)
def test_a_server_that_answers_drop_by_drop_is_cut_off(hooks, door, start):
    with (
        talking(drop_by_drop(start)) as port,
        pytest.raises(OutboundFailed, match=r"longer than 0.3 seconds"),
    ):
        send(door, hooks, f"http://127.0.0.1:{port}/", limits=Limits(seconds=0.3))


def test_a_server_that_says_nothing_is_cut_off(hooks, door):
    with talking(lambda connection: connection.recv(1) and time.sleep(1)) as port:
        for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/"):
            with pytest.raises(OutboundFailed, match=r"longer than 0.3 seconds"):
                send(door, hooks, url, limits=Limits(seconds=0.3))


@pytest.mark.parametrize(
    "nonsense", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]
)
def test_an_answer_that_is_none_is_said(hooks, door, nonsense):
    def speech(connection):
        connection.recv(4096)
        connection.sendall(nonsense)

    with talking(speech) as port, pytest.raises(OutboundFailed, match="can't be reached"):
        send(door, hooks, f"http://127.0.0.1:{port}/")
