"""There is one door out, and it opens for declared processors and purposes at public addresses only."""

import ast
import socket
import time
from pathlib import Path

import pytest
import structlog
from pytest_socket import SocketConnectBlockedError

from tenants.foundation import outbound
from tenants.foundation.addresses import look_up
from tenants.foundation.exchange import Limits, OutboundFailed, Request
from tenants.foundation.outbound import ANY_HOST, Outbound, OutboundRefused, processor, processors
from tenants.foundation.tables import Purpose
from tests.strangers import Authority, replying, talking, web_server

ROOT = Path(__file__).parents[3]
PUBLIC = "93.184.216.34"
#: What the tests' own wall raises on a connection to the Internet; it names the address.
THE_WALL = (SocketConnectBlockedError, UserWarning)


@pytest.fixture(autouse=True)
def no_processors(monkeypatch):
    monkeypatch.setattr(outbound, "_processors", {})


@pytest.fixture
def hooks():
    """A processor whose hosts are named by tenants."""
    return processor("webhooks", purposes=[Purpose.SALES], hosts=[ANY_HOST])


@pytest.fixture
def door():
    """As it is on a developer's machine: only loopback can be reached."""
    return Outbound(allow_loopback=True)


def at(*addresses):
    """A resolver that knows one answer and counts."""

    def resolve(_host, _port):
        resolve.calls += 1
        return list(addresses)

    resolve.calls = 0
    return resolve


def send(door, to, url, **options):
    return door.send(to, Request("POST", url, body=b"{}"), purpose=Purpose.SALES, **options)


# ─── who, what for, and where ────────────────────────────────────────────────────────────────


@pytest.mark.promise("0-12", "1-20", "3-19", "4-08")
@pytest.mark.parametrize("purpose", ["third_party_marketing", "marketing_by_third_parties", "sale", ""])
def test_there_is_no_purpose_for_the_marketing_of_third_parties(hooks, door, purpose):
    assert purpose not in set(Purpose)
    with pytest.raises(ValueError, match="is not a valid Purpose"):
        processor("data broker", purposes=[purpose], hosts=["broker.example.com"])
    with structlog.testing.capture_logs() as logs, pytest.raises(OutboundRefused, match="not declared for"):
        door.send(hooks, Request("POST", "https://broker.example.com/"), purpose=purpose)
    assert [(line["log_level"], line["outcome"], line["purpose"]) for line in logs] == [
        ("warning", "OutboundRefused", purpose)
    ]


def test_a_purpose_that_the_processor_is_not_declared_for_is_refused(hooks, door):
    with pytest.raises(OutboundRefused, match="not declared for the purpose invoicing"):
        door.send(hooks, Request("GET", "https://example.com/"), purpose=Purpose.INVOICING)


def test_a_processor_that_is_not_declared_is_refused(door):
    stranger = outbound.Processor("stranger", frozenset({Purpose.SALES}), frozenset({ANY_HOST}))
    with pytest.raises(OutboundRefused, match="stranger is not a declared processor"):
        send(door, stranger, "https://example.com/")


def test_a_processor_is_declared_once_and_with_a_purpose_and_a_host(hooks):
    for broken in ({"purposes": [], "hosts": ["a.example"]}, {"purposes": [Purpose.SALES], "hosts": []}):
        with pytest.raises(ValueError, match="needs a purpose and a host"):
            processor("incomplete", **broken)
    with pytest.raises(ValueError, match="declared twice"):
        processor("webhooks", purposes=[Purpose.SALES], hosts=[ANY_HOST])
    assert processors() == [hooks]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://other.example.com/",
            "https://api.example.com.evil.example/",
            "https://api.example.com:8443/",
        ),
        *("https://evil.example/api.example.com", "https://xapi.example.com/", "https://idp.example.com/"),
    ],
)
def test_only_declared_hosts_are_looked_up_at_all(url):
    bank = processor("bank", purposes=[Purpose.SALES], hosts=["api.example.com", "idp.example.com:8443"])
    resolver = at(PUBLIC)
    with pytest.raises(OutboundRefused, match="bank is not declared to answer at"):
        send(Outbound(resolver=resolver), bank, url)
    assert resolver.calls == 0


@pytest.mark.parametrize(
    "url", ["https://api.example.com/x", "https://API.example.com.:443/x", "https://idp.example.com:8443/"]
)
def test_declared_hosts_are_reached_at_the_address_that_was_looked_up(url):
    bank = processor("bank", purposes=[Purpose.SALES], hosts=["api.example.com", "idp.example.com:8443"])
    with pytest.raises(THE_WALL, match=PUBLIC):
        send(Outbound(resolver=at(PUBLIC)), bank, url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
        ),
        *("https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://①②⑦.⓪.⓪.①/"),
        *("https://169.254.169.254/latest", "https://localhost/", "https://0/", "https://[fe80::1%25eth0]/"),
        *("https://user@example.com/", "https://user:word@example.com/", "https://example.com@127.0.0.1/"),
        *(
            "https://example.com:8443/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://a..b/",
        ),
        *(
            "ftp://example.com/",
            "file:///etc/passwd",
            "//example.com/",
            "example.com",
            "",
            "https://",
            "https:///x",
        ),
        *(
            "https://example.com\\@127.0.0.1/",
            "https://exa mple.com/",
            "https://example.com/\r\nX: y",
            "https://[x]/",
        ),
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_hostile_addresses_are_refused(hooks, url):
    with pytest.raises(OutboundRefused):
        send(
            Outbound(resolver=lambda host, port: [PUBLIC] if "example" in host else look_up(host, port)),
            hooks,
            url,
        )


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [PUBLIC, "10.0.0.1"], ["127.0.0.1"], []])
def test_a_name_that_leads_inside_is_refused(hooks, addresses):
    with pytest.raises(OutboundRefused, match="not at a public address"):
        send(Outbound(resolver=at(*addresses)), hooks, "https://example.com/")


def test_a_name_that_changes_its_address_is_looked_up_once(hooks):
    answers = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(THE_WALL, match=PUBLIC):
        send(Outbound(resolver=lambda _host, _port: answers.pop(0)), hooks, "https://rebind.example/")
    assert answers == [["127.0.0.1"]]


def test_a_name_that_is_not_found_is_said(hooks):
    def nothing(_host, _port):
        raise socket.gaierror("no such name")

    with pytest.raises(OutboundFailed, match=r"address of example.com was not found\."):
        send(Outbound(resolver=nothing), hooks, "https://example.com/")


def test_loopback_is_out_of_bounds_unless_the_operator_says_otherwise(hooks):
    with web_server(replying(200)) as server:
        for url in (f"http://127.0.0.1:{server.port}/", f"https://localhost:{server.port}/"):
            with pytest.raises(OutboundRefused):
                send(Outbound(), hooks, url)
        assert send(Outbound(allow_loopback=True), hooks, f"http://localhost:{server.port}/").status == 200
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/", "https://10.0.0.1/"])
def test_allowing_loopback_allows_nothing_else(hooks, url):
    door = Outbound(allow_loopback=True, resolver=at("127.0.0.1", "10.0.0.1"))
    with pytest.raises(OutboundRefused):
        send(door, hooks, url)


# ─── what is sent and what comes back ────────────────────────────────────────────────────────


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


# ─── certificates ────────────────────────────────────────────────────────────────────────────


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


# ─── limits ──────────────────────────────────────────────────────────────────────────────────


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


# ─── no other way out ────────────────────────────────────────────────────────────────────────

WAYS_OUT = {
    *("urllib3", "requests", "httpx", "aiohttp", "http.client", "urllib.request", "smtplib", "ftplib"),
    *("imaplib", "poplib", "telnetlib", "xmlrpc", "boto3", "botocore", "websockets", "paramiko"),
}
DOORS = {
    "tenants/foundation/exchange.py",
    "tenants/isolation/bucket.py",  # storage goes where the operator's own settings say
    "tenants/mail/postmen.py",  # to the one mail server that the operator names, and nobody else
    "tenants/identity/single_sign_on/transport.py",  # an adapter of requests whose only way out is ours
    "tenants/identity/single_sign_on/flow.py",  # knows that adapter's errors
    "crm/cli/access.py",  # asks the program itself at its own address, as the admin who types
    "crm/cli/programs.py",  # asks the web that it has just started on this machine whether it is ready
}


@pytest.mark.promise("0-12")
def test_nothing_else_in_the_program_speaks_to_strangers():
    found = {
        str(path.relative_to(ROOT))
        for package in ("crm", "tenants")
        for path in (ROOT / package).rglob("*.py")
        if any(_is_way_out(name) for name in _imported(path))
    }
    assert "tenants/foundation/exchange.py" in found
    assert found <= DOORS


def _is_way_out(name):
    return any(name == way or name.startswith(f"{way}.") for way in WAYS_OUT)


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
