"""Only what is on the public Internet is public."""

import threading

import pytest

from tenants.foundation.addresses import is_public, look_up, look_up_within


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]
)
def test_addresses_on_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
        ),
        *(
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.9",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "203.0.113.1",
        ),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1"),
        *(
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    ],
)
def test_addresses_that_can_lead_inside_are_not(address):
    assert not is_public(address)


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "0"])
def test_odd_spellings_of_this_machine_are_seen_through(spelling):
    found = look_up(spelling, 443)
    assert found
    assert not any(map(is_public, found))


def test_a_look_up_that_hangs_is_given_up():
    never = threading.Event()
    with pytest.raises(TimeoutError):
        look_up_within(0.01, "example.com", 443, lambda _host, _port: never.wait() and [])
    never.set()


def test_what_goes_wrong_in_a_look_up_is_heard_of():
    def nothing(_host, _port):
        raise OSError("no such name")

    with pytest.raises(OSError, match="no such name"):
        look_up_within(5, "example.com", 443, nothing)
