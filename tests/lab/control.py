# SPDX-License-Identifier: ISC
"""A client of the control socket of our own, which shares nothing with
gatewardenctl."""

import socket
import struct

ASK = 1
LINE, OCTETS, DONE, FAILED, WAIT = 2, 3, 4, 5, 6
LARGEST = 1 << 18


def options(**texts):
    """Names and texts as a question or a line has them."""
    words = [word.encode() for pair in texts.items() for word in pair]
    return b"".join(struct.pack(">I", len(word)) + word for word in words)


def packet(kind, payload, number=0):
    return struct.pack(">HHIQ", kind, 0, len(payload), number) + payload


def texts(payload):
    """The names and texts of a line."""
    words = []
    while payload:
        end = 4 + struct.unpack(">I", payload[:4])[0]
        words.append(payload[4:end].decode())
        payload = payload[end:]
    return dict(zip(words[::2], words[1::2]))


def packets(path, **question):
    """The packets that answer it, each with its kind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(60)
        sock.connect(path)
        sock.sendall(packet(ASK, options(**question)))
        kind = None
        while kind not in (DONE, FAILED):
            answer = sock.recv(LARGEST)
            if not answer:
                break
            kind = struct.unpack(">H", answer[:2])[0]
            if kind != WAIT:
                yield kind, answer[16:]


def ask(path, **question):
    """The kinds of the packets that answer it."""
    return [kind for kind, _ in packets(path, **question)]


def told(path, **question):
    """The lines of an answer that is whole, and the octets of its stream."""
    lines, octets, last = [], bytearray(), None
    for last, payload in packets(path, **question):
        if last == LINE:
            lines.append(texts(payload))
        elif last == OCTETS:
            octets += payload
    assert last == DONE, (question, lines, last)
    return lines, bytes(octets)
