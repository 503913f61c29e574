# SPDX-License-Identifier: ISC
"""A client that proves itself with a name and a password (RFC 1929)."""

import time
from dataclasses import dataclass

from tests.lab.socks import Client, Closed, PASSWORD


@dataclass
class Login:
    reply: bytes  # of the sub-negotiation; b"" if there was none
    record: dict  # of the audit trail
    seconds: float


def message(user, password):
    user, password = user.encode(), password.encode()
    return (bytes([1, len(user)]) + user +
            bytes([len(password)]) + password)


def begin(lab, wrap=None, **options):
    """A client whose method is chosen.  `wrap` makes another socket of the
    connection's, such as TLS."""
    client = Client(lab, **options)
    if wrap:
        client.sock = wrap(client.sock)
    client.send(bytes([5, 1, PASSWORD]))
    chosen = client.read(2)
    if chosen != bytes([5, PASSWORD]):
        raise AssertionError(f"the method that was chosen: {chosen!r}")
    return client


def login(lab, user, password, timeout=20, **options):
    """One login; the connection is closed at its end."""
    start = time.monotonic()
    with begin(lab, timeout=timeout, **options) as client:
        name = client.name
        client.send(message(user, password))
        try:
            reply = client.read(2)
        except Closed:
            reply = b""
    seconds = time.monotonic() - start
    record = lab.audit.wait_for(client=name, event="auth")
    return Login(reply, record, seconds)
