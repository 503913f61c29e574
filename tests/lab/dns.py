# SPDX-License-Identifier: ISC
"""A small name server whose answers a test can script."""

import ipaddress
import socket
import socketserver
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
NXDOMAIN, SERVFAIL = 3, 2


def _name(octets, offset):
    labels = []
    while octets[offset]:
        length = octets[offset]
        labels.append(octets[offset + 1:offset + 1 + length])
        offset += 1 + length
    return b".".join(labels).decode("latin-1").lower(), offset + 1


def _wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".")) + b"\0"


def _record(name, value, ttl):
    if value.startswith("@"):
        kind, data = CNAME, _wire_name(value[1:])
    else:
        address = ipaddress.ip_address(value)
        kind, data = (A if address.version == 4 else AAAA), address.packed
    return kind, _wire_name(name) + struct.pack(
        ">HHIH", kind, 1, ttl, len(data)) + data


class Names:
    """name -> list of addresses ("@other" is a CNAME), or a function that
    gets (name, type) and gives such a list, or one of the error codes, or
    None for no answer at all."""

    def __init__(self, table=None, address="127.0.0.1"):
        self.table = dict(table or {})
        self.asked = []
        self.ttl = 1
        names = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                query, sock = self.request
                answer = names.answer(query)
                if answer is not None:
                    sock.sendto(answer, self.client_address)

        class Stream(socketserver.BaseRequestHandler):
            def handle(self):
                size = self.request.recv(2, socket.MSG_WAITALL)
                if len(size) == 2:
                    query = self.request.recv(
                        int.from_bytes(size, "big"), socket.MSG_WAITALL)
                    answer = names.answer(query)
                    if answer is not None:
                        self.request.sendall(
                            struct.pack(">H", len(answer)) + answer)

        class TCP(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address = True, True

        # One port of both; a free one may be taken in the other protocol.
        self.tcp = None
        while self.tcp is None:
            self.udp = socketserver.UDPServer((address, 0), Datagram)
            self.address, self.port = self.udp.server_address
            try:
                self.tcp = TCP((address, self.port), Stream)
            except OSError:
                self.udp.server_close()
        for server in [self.udp, self.tcp]:
            threading.Thread(target=server.serve_forever, args=(0.05,),
                             daemon=True).start()

    def answer(self, query):
        name, end = _name(query, 12)
        kind = struct.unpack(">H", query[end:end + 2])[0]
        self.asked.append((name, kind))
        found, code, records = name, 0, []
        for _ in range(8):
            values = self.table.get(found, NXDOMAIN)
            if callable(values):
                values = values(found, kind)
            if values is None:
                return None
            if isinstance(values, int):
                code = values
                break
            alias = None
            for value in values:
                value_kind, wire = _record(found, value, self.ttl)
                if value_kind in (kind, CNAME):
                    records.append(wire)
                if value_kind == CNAME:
                    alias = value[1:]
            if alias is None:
                break
            found = alias
        flags = 0x8180 | code
        return (query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
                + query[12:end + 4] + b"".join(records))

    def close(self):
        for server in [self.udp, self.tcp]:
            server.shutdown()
            server.server_close()
