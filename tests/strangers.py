"""Servers of strangers, on loopback: one for the web, in any name, and one that says what it is told."""

import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """A certificate authority of the test world."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of the tests")])
        self.certificate = self._signed(self._name, self._key, [self._authority(), self._key_usage()])

    @property
    def trust(self) -> ssl.SSLContext:
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def server_context(self, host: str) -> ssl.SSLContext:
        """What a server needs that speaks in the name of this host."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        certificate = self._signed(name, key, [(x509.SubjectAlternativeName([x509.DNSName(host)]), False)])
        file = self._folder / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(self, name, key, extensions):
        today = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _authority():
        return x509.BasicConstraints(ca=True, path_length=0), True

    @staticmethod
    def _key_usage():
        uses = dict.fromkeys(
            [
                *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
                *("key_agreement", "encipher_only", "decipher_only"),
            ],
            False,
        )
        return x509.KeyUsage(**uses, key_cert_sign=True, crl_sign=True), True


@contextmanager
def web_server(answer: Callable, context: ssl.SSLContext | None = None):
    """Calls `answer(handler)` for each request; keeps requests, and the name each connection asked for."""
    seen = SimpleNamespace(requests=[], names=[], port=0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.requests.append(
                SimpleNamespace(method=self.command, path=self.path, headers=self.headers, body=body)
            )
            answer(self)

        do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

        def log_message(self, *_details):
            """The requests are kept in `seen`."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_details):
            """Clients of these tests hang up, on purpose."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        context.sni_callback = lambda _socket, name, _context: seen.names.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    seen.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def talking(speech):
    """A server that sends what `speech(connection)` sends, to one caller at a time."""
    listening = create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    speech(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(2)
        listening.close()
        thread.join()


def replying(status, body=b"", **headers):
    """An answer for `web_server`."""

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer
