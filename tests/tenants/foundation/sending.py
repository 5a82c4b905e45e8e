"""One POST through the door, and resolvers that know one answer."""

from tenants.foundation.exchange import Request
from tenants.foundation.tables import Purpose


def at(*addresses):
    """A resolver that knows one answer and counts."""

    def resolve(_host, _port):
        resolve.calls += 1
        return list(addresses)

    resolve.calls = 0
    return resolve


def send(door, to, url, **options):
    return door.send(to, Request("POST", url, body=b"{}"), purpose=Purpose.SALES, **options)
