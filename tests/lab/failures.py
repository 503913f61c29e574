# SPDX-License-Identifier: ISC
"""What has to hold whatever becomes of the directory."""

import contextlib
import random
import socket
import ssl
import threading
import time

from tests.lab.live import permitted
from tests.lab.socks import Client, Closed


class _Asker(threading.Thread):
    """Asks for what is forbidden, again and again."""

    def __init__(self, lab, forbidden):
        super().__init__()
        self.lab, self.forbidden = lab, forbidden
        self.ending, self.asked, self.wrong = False, 0, []
        self.failed = None
        self.start()

    def run(self):
        try:
            while not self.ending:
                for user, host in self.forbidden:
                    self.ask(user, host)
                time.sleep(0.05)
        except Exception as failed:  # raised again where it is looked at
            self.failed = failed

    def ask(self, user, host):
        try:
            if permitted(self.lab, host, user=user):
                self.wrong.append(f"{user} to {host}")
            self.asked += 1
        except Closed:  # denied, too
            pass

    def has_to_be_good(self):
        self.ending = True
        self.join()
        if self.failed:
            raise self.failed
        if self.wrong or self.asked < 2:
            raise AssertionError(f"permitted: {self.wrong}; asked "
                                 f"{self.asked} times")


@contextlib.contextmanager
def last_rules_hold(lab, forbidden=(("mallory", "10.77.0.80"),
                                    ("alice", "10.77.9.9"))):
    """While it lasts nobody is permitted what the last good rules forbid, and
    a session that they permit, by a group, goes on."""
    target = lab.acceptor()
    client = Client(lab).connect(target.address, target.port)
    served = target.accept()
    asker = _Asker(lab, forbidden)
    try:
        yield
    finally:
        asker.has_to_be_good()
    client.put(b"still there")
    if served.recv(100) != b"still there":
        raise AssertionError("a session that was permitted has ended")
    client.close()
    served.close()


def _message(number, operation):
    """An LDAPMessage (RFC 4511 section 4.1.1) of few octets."""
    body = b"\x02\x01" + bytes([number]) + operation
    return b"\x30" + bytes([len(body)]) + body


_BOUND = b"\x61\x07\x0a\x01\x00\x04\x00\x04\x00"


def _number(request):
    """The messageID, where it has one octet, as ours have at first."""
    at = 2 + (request[1] & 0x7f if request[1] & 0x80 else 0)
    return request[at + 2]


class Garbage:
    """In place of a directory on ldaps://: answers what no directory would,
    each connection in another way, until all have been met."""

    def __init__(self, port, certificates):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{certificates}/server.pem",
                                 f"{certificates}/server.key")
        self.ways = [self.noise, self.length_without_end,
                     self.answer_for_another, self.noise_after_bind,
                     self.half_an_entry]
        self.met = {way.__name__: 0 for way in self.ways}
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                threading.Thread(target=self._one, daemon=True,
                                 args=[self.listener.accept()[0]]).start()
        except OSError:
            pass

    def _one(self, connection):
        try:
            with self.tls.wrap_socket(connection, server_side=True) as sock:
                sock.settimeout(10)
                request = sock.recv(65536)
                with self.lock:
                    way = min(self.ways, key=lambda w: self.met[w.__name__])
                    self.met[way.__name__] += 1
                way(sock, request)
        except (OSError, IndexError):
            pass

    def were_all_met(self):
        return all(self.met.values())

    def noise(self, sock, request):
        while request:
            sock.sendall(random.randbytes(300))
            request = sock.recv(65536)

    def length_without_end(self, sock, request):
        sock.sendall(b"\x30\x84\x7f\xff\xff\xf0" + bytes(1000))
        sock.recv(65536)

    def answer_for_another(self, sock, request):
        while request:
            sock.sendall(_message(_number(request) + 50, _BOUND))
            request = sock.recv(65536)

    def noise_after_bind(self, sock, request):
        sock.sendall(_message(_number(request), _BOUND))
        self.noise(sock, sock.recv(65536))

    def half_an_entry(self, sock, request):
        sock.sendall(_message(_number(request), _BOUND))
        if request := sock.recv(65536):
            entry = b"\x64\x50\x04\x20cn=staff,ou=rules,dc=exa"
            sock.sendall(b"\x30\x60\x02\x01" + bytes([_number(request)]) +
                         entry)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
