"""Whether a port is free, asked before anything is started."""

import errno
import socket

from crm.cli.refusals import Refused


def must_be_free(host: str, port: int) -> None:
    """Refuse a port that is taken, or an address that is not this machine's, with a sentence."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            # What a listener of a moment ago left behind does not count, as it will not count for the server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except socket.gaierror:
        raise Refused(f"{host} is not an address of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"Port {port} on {host} is taken; choose another with --port.") from None
        raise Refused(f"Port {port} on {host} can't be used: {error.strerror}.") from None
