# SPDX-License-Identifier: ISC
"""A SOCKS5 server on loopback that asks for no proof and speaks GSSAPI with
the gateway for its clients.

Behind the sub-negotiation requests, replies and what is relayed are the same
octets, sealed on the one side and clear on the other.
"""

import socket
import threading

from tests.lab.socks import DATA, Client, Closed


class Bridge:
    """`options` are Client's: its user, level and listener."""

    def __init__(self, lab, **options):
        self.lab, self.options = lab, options
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                local, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(local,),
                             daemon=True).start()

    def _serve(self, local):
        version, count = local.recv(2, socket.MSG_WAITALL)
        assert version == 5 and 0 in local.recv(count, socket.MSG_WAITALL)
        local.sendall(b"\x05\x00")
        client = Client(self.lab, **self.options).ready()
        client.sock.settimeout(None)
        threading.Thread(target=self._outwards, args=(local, client),
                         daemon=True).start()
        self._inwards(local, client)

    @staticmethod
    def _outwards(local, client):
        try:
            while octets := local.recv(32768):
                client.put(octets)
            client.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _inwards(local, client):
        try:
            while True:
                local.sendall(client.read(1) if client.granted == 0 else
                              client.open(client.read_frame(DATA)))
        except (Closed, OSError):
            pass
        try:
            local.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
