# SPDX-License-Identifier: ISC
"""Certificates, and the client's side of TLS: Python's ssl over memory, so
that closing one direction leaves the other one open."""

import atexit
import os
import select
import shutil
import socket
import ssl
import tempfile
import threading

from tests.lab.certificates import Authority
from tests.lab.socks import Client, Closed


NAME = "DNS:gw.example.com"


class Papers:
    """A CA, certificates for the gateway and for clients; gone at exit."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="gatewarden-papers.")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        ours = Authority(self.directory)
        theirs = Authority(self.directory, "foreign_ca")
        self.ca = ours.pem
        for name in ["first", "second", "alice"]:
            setattr(self, name, ours.issue(name, NAME))
        self.foreign = theirs.issue("foreign", NAME)
        self.expired = ours.expire("expired", "first")

    def install(self, paper, directory, name="gw"):
        """Puts a certificate and its key where the settings name them."""
        for source, suffix in zip(paper, [".pem", ".key"]):
            shutil.copyfile(source, f"{directory}/{name}{suffix}.new")
            os.chmod(f"{directory}/{name}{suffix}.new", 0o600)
            shutil.move(f"{directory}/{name}{suffix}.new",
                        f"{directory}/{name}{suffix}")


def client_context(papers, own=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(papers.ca)
    if own:
        context.load_cert_chain(*own)
    if version:
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


class Inside:
    """A socket's methods, inside TLS."""

    def __init__(self, raw, context, name="gw.example.com"):
        self.raw = raw
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out,
                                    server_hostname=name)
        self._plain = bytearray()  # opened, and not taken yet
        self._cipher = bytearray()  # sealed, and not sent yet
        self._saw_end = self._wants_fin = False
        self._handshake()

    def __getattr__(self, name):
        return getattr(self.raw, name)

    def _handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            except ssl.SSLError:
                self._flush()
                raise

    def _flush(self):
        """Sends what is sealed; True if all of it went out."""
        self._cipher += self._out.read()
        while self._cipher:
            try:
                count = self.raw.send(self._cipher)
            except BlockingIOError:
                return False
            del self._cipher[:count]
        if self._wants_fin:
            self._wants_fin = False
            self.raw.shutdown(socket.SHUT_WR)
        return True

    def _flush_all(self):
        try:
            while not self._flush():
                select.select([], [self.raw], [], 20)
        except OSError:
            pass

    def _receive(self):
        data = self.raw.recv(262144)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    def _open(self):
        """Opens whatever has come."""
        try:
            while not self._saw_end:
                data = self.tls.read(262144)
                if not data:
                    self._saw_end = True
                self._plain += data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._saw_end = True

    def send(self, data):
        if not self._flush():
            raise BlockingIOError
        count = self.tls.write(bytes(data[:16384]))
        self._flush()
        return count

    def sendall(self, data):
        data = bytes(data)
        while data:
            data = data[self.send(data):]

    def recv(self, size, *_):
        """b"" is TLS's own word for the end; a bare FIN raises ssl.SSLError."""
        self._open()
        if not self._plain and not self._saw_end:
            while True:
                self._receive()
                self._open()
                if self._plain or self._saw_end or \
                        self.raw.gettimeout() == 0:
                    break
            if not self._plain and not self._saw_end:
                raise BlockingIOError
        data = bytes(self._plain[:size])
        del self._plain[:size]
        return data

    def shutdown(self, _):
        """close_notify, then FIN; what the peer sends can still be read."""
        self._open()  # unwrap must not find any of it
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._wants_fin = True
        if not self._flush():
            # Nobody will call send any more.
            threading.Thread(target=self._flush_all, daemon=True).start()


class TlsClient(Client):
    """Our client, inside TLS."""

    def __init__(self, lab, papers, own=None, version=None, listener="tls",
                 header=b"", **options):
        super().__init__(lab, listener=listener, **options)
        self.sock.sendall(header)
        try:
            self.sock = Inside(self.sock,
                               client_context(papers, own, version))
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed("in the handshake") from error
