"""Which network addresses belong to strangers on the public Internet, and not to us or our neighbours."""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

Resolver: TypeAlias = Callable[[str, int], list[str]]

#: `is_global` alone lets these through, or is not sure of them in every Python.
NOT_FOR_STRANGERS = [
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT
        "168.63.129.16/32",  # the cloud's own service address on every machine at Azure
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "2001::/23",  # IETF protocol assignments, Teredo among them: they can wrap a private address
        "2002::/16",  # 6to4: likewise
        "3fff::/20",  # documentation
    )
]
#: Whatever is outside (NAT64, mapped and translated IPv4, link-local, unique local) can lead inside.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in GLOBAL_UNICAST:
        return False
    return ip.is_global and not any(ip in network for network in NOT_FOR_STRANGERS)


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def look_up(host: str, port: int) -> list[str]:
    """Every address of a host, as the system's resolver prefers them."""
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def look_up_within(seconds: float, host: str, port: int, resolver: Resolver) -> list[str]:
    """The same, or `TimeoutError`: the system's resolver takes no limit, so a thread waits for it."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer
