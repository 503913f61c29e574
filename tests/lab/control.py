# SPDX-License-Identifier: ISC
"""A client of the control socket of our own, which shares nothing with
gatewardenctl."""

import socket
import struct

ASK = 1
LINE, OCTETS, DONE, FAILED = 2, 3, 4, 5
LARGEST = 1 << 18


def options(**texts):
    """Names and texts as a question or a line has them."""
    words = [word.encode() for pair in texts.items() for word in pair]
    return b"".join(struct.pack(">I", len(word)) + word for word in words)


def packet(kind, payload, number=0):
    return struct.pack(">HHIQ", kind, 0, len(payload), number) + payload


def ask(path, **question):
    """The kinds of the packets that answer it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(60)
        sock.connect(path)
        sock.sendall(packet(ASK, options(**question)))
        kinds = []
        while kinds[-1:] not in ([DONE], [FAILED]):
            answer = sock.recv(LARGEST)
            if not answer:
                break
            kinds.append(struct.unpack(">H", answer[:2])[0])
    return kinds
