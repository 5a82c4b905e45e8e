"""There is one door out, and it opens for declared processors and purposes at public addresses only."""

import ast
import socket
from pathlib import Path

import pytest
import structlog
from pytest_socket import SocketConnectBlockedError

from tenants.foundation import outbound
from tenants.foundation.addresses import look_up
from tenants.foundation.exchange import OutboundFailed, Request
from tenants.foundation.outbound import ANY_HOST, Outbound, OutboundRefused, processor, processors
from tenants.foundation.tables import Purpose
from tests.strangers import replying, web_server
from tests.tenants.foundation.sending import at, send

pytestmark = pytest.mark.usefixtures("no_processors")

ROOT = Path(__file__).parents[3]
PUBLIC = "93.184.216.34"
#: What the tests' own wall raises on a connection to the Internet; it names the address.
THE_WALL = (SocketConnectBlockedError, UserWarning)


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


@pytest.mark.promise("0-20", "2-15", "3-29")
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


@pytest.mark.promise("0-20", "1-28")
def test_nothing_goes_out_in_clear(hooks):
    resolver = at(PUBLIC)
    with pytest.raises(OutboundRefused, match="Only https goes out"):
        send(Outbound(resolver=resolver), hooks, "http://example.com/")
    assert resolver.calls == 0


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


# ─── no other way out ────────────────────────────────────────────────────────────────────────

WAYS_OUT = {
    *("urllib3", "requests", "httpx", "aiohttp", "http.client", "urllib.request", "smtplib", "ftplib"),
    *("imaplib", "poplib", "telnetlib", "xmlrpc", "boto3", "botocore", "websockets", "paramiko"),
}
DOORS = {
    "tenants/foundation/exchange.py",
    "tenants/isolation/bucket.py",  # storage goes where the operator's own settings say
    "tenants/isolation/parts.py",  # the same bucket's
    "tenants/isolation/versions.py",  # the same bucket's
    "tenants/isolation/aws_kms.py",  # the keys of keys, where the operator or the tenant says
    "tenants/isolation/own_bucket.py",  # a tenant's own bucket, by a way out that checks every address
    "tenants/mail/postmen.py",  # to the one mail server that the operator names, and nobody else
    "tenants/identity/single_sign_on/transport.py",  # an adapter of requests whose only way out is ours
    "tenants/identity/single_sign_on/flow.py",  # knows that adapter's errors
    "crm/cli/asking.py",  # asks the program itself at its own address, as whoever types
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
