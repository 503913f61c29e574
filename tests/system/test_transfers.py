# SPDX-License-Identifier: ISC
"""Octets both ways at once: whole, in order, once."""

import socket
import struct
import threading
import time

from tests.lab import socks
from tests.lab.process import wait_until
from tests.lab.socks import (Client, Closed, LARGEST_MESSAGE, Transfer,
                             assert_same, frame, request_octets,
                             run_transfers)
from tests.lab.suite import behaviour, expect, expect_equal

NEEDS_ROOT = True

LAB = {"settings": {
    "listener clear": {"protection_minimum": "none",
                       "protection_maximum": "none"},
    "listener v6": {"address": "[::1]:10801"},
    "listener nosequence": {"allow_missing_sequence": True},
    "session": {"half_close_timeout": 3, "idle_timeout": 60},
}}

MEGABYTE = 1 << 20
PAYLOAD = 20 * MEGABYTE


def opened(lab, host, at=None, level=2, listener="main", **options):
    """A client at its target, and the target's end of the connection."""
    acceptor = lab.acceptor(at or host)
    client = Client(lab, level=level, listener=listener, **options)
    client.connect(host, acceptor.port)
    return client, acceptor.accept()


def both_ways(lab, host, at=None, level=2, size=PAYLOAD, **options):
    client, served = opened(lab, host, at, level, **options)
    name = client.name
    ours = Transfer(client.sock, size, f"{host}{level}client", client)
    theirs = Transfer(served, size + 7, f"{host}{level}target")
    run_transfers([ours, theirs])
    assert_same(ours, theirs)
    client.close()
    served.close()
    record = lab.audit.wait_for(client=name, event="close", reason="ok")
    expect_equal(record["bytes_to_target"], str(size), "octets to the target")
    expect_equal(record["bytes_to_client"], str(size + 7),
                 "octets to the client")
    return record


LEVELS = {0: "none", 1: "integrity", 2: "confidentiality", 3: "selective"}


def three_kinds_of_target(lab, level, listener="main"):
    for host, at in [(lab.place.plain, None), (lab.place.plain6, None),
                     ("www.example.com", lab.place.web)]:
        record = both_ways(lab, host, at, level, listener=listener)
        expect_equal(record["protection"], LEVELS[level], "protection")
        expect_equal(record["identity"], "alice@EXAMPLE.COM", "identity")


@behaviour
def twenty_megabytes_both_ways_at_level_1(lab):
    three_kinds_of_target(lab, 1)


@behaviour
def twenty_megabytes_both_ways_at_level_2(lab):
    three_kinds_of_target(lab, 2)


@behaviour
def twenty_megabytes_both_ways_at_level_3(lab):
    three_kinds_of_target(lab, 3)


@behaviour
def twenty_megabytes_both_ways_without_protection(lab):
    three_kinds_of_target(lab, 0, listener="clear")


@behaviour
def a_client_may_seal_although_nothing_was_granted(lab):
    with Client(lab, level=1, listener="clear") as client:
        client.ready()
        expect_equal(client.granted, 0, "granted")
        client.granted = 1
        spot = lab.target()
        client.ask(spot.address, spot.port)
        client.put(b"sealed", confidential=True)
        wait_until(lambda: spot.octets == b"sealed", "the octets arrive")


@behaviour
def a_client_of_ipv6_is_served_too(lab):
    both_ways(lab, lab.place.plain6, listener="v6", size=MEGABYTE)


@behaviour
def a_context_without_sequence_is_served_where_allowed(lab):
    flags = socks.FLAGS - {
        socks.gss.RequirementFlag.out_of_sequence_detection}
    both_ways(lab, lab.place.plain, listener="nosequence", flags=flags,
              size=MEGABYTE)


@behaviour
def rcmd_is_a_service_too(lab):
    both_ways(lab, lab.place.plain, service="rcmd@gw.example.com",
              size=MEGABYTE)


@behaviour
def everything_in_one_segment_is_served(lab):
    """A client that does not wait for answers: greeting and token, then
    level, request, data and FIN at once."""
    spot = lab.target()
    for level in [1, 2, 3]:
        spot.octets = b""
        with Client(lab, level=level) as client:
            client.send(b"\x05\x01\x01" +
                        frame(socks.TOKEN, client.initiate()))
            expect_equal(client.read_method(), socks.GSSAPI, "method")
            client.finish_authentication()
            client.granted = level
            client.send(client.level_message() +
                        client.sealed(request_octets(spot.address, spot.port) +
                                      b"first ") +
                        client.sealed(b"second ") + client.sealed(b"third"))
            client.sock.shutdown(socket.SHUT_WR)
            expect_equal(client.read_granted(), level, "granted")
            client.read_reply()
            expect_equal(client.get_to_end(), b"", "from the target")
        expect_equal(spot.octets, b"first second third", "to the target")


@behaviour
def an_octet_at_a_time_is_served(lab):
    def drip(self, octets, send=Client.send):
        for octet in octets:
            send(self, bytes([octet]))

    spot = lab.target(socks_echo)
    with Client(lab) as client:
        client.send = drip.__get__(client)
        client.connect(spot.address, spot.port)
        client.put(b"drop by drop")
        expect_equal(client.get(12), b"drop by drop", "the echo")


def socks_echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


@behaviour
def a_request_may_be_split_over_messages(lab):
    spot = lab.target(socks_echo)
    with Client(lab) as client:
        client.ready()
        client.put(b"")
        for octet in request_octets("www.example.com", spot.port):
            client.put(bytes([octet]))
            client.put(b"")
        client.read_reply()
        client.put(b"hello")
        expect_equal(client.get(5), b"hello", "the echo")


@behaviour
def the_level_may_be_sealed_confidentially(lab):
    spot = lab.target(socks_echo)
    with Client(lab) as client:
        client.greet()
        client.authenticate()
        client.send(frame(socks.LEVEL, client.wrap(b"\x02", True)))
        expect_equal(client.read_granted(), 2, "granted")
        client.ask(spot.address, spot.port)


@behaviour
def a_confidential_message_is_taken_at_level_1(lab):
    spot = lab.target(socks_echo)
    with Client(lab, level=1) as client:
        client.connect(spot.address, spot.port)
        client.put(b"hello", confidential=True)
        expect_equal(client.get(5), b"hello", "the echo")


@behaviour
def the_largest_messages_pass(lab):
    spot = lab.target(socks_echo)
    for level, largest in [(1, 65507), (2, 65475)]:
        for size in [largest, largest - 1, 1]:
            with Client(lab, level=level) as client:
                client.connect(spot.address, spot.port)
                token = client.wrap(b"x" * size)
                expect(len(token) <= LARGEST_MESSAGE, "a token that fits")
                client.send(frame(socks.DATA, token))
                expect_equal(client.get(size), b"x" * size, "the echo")


@behaviour
def the_client_may_finish_first(lab):
    client, served = opened(lab, lab.place.plain)
    client.put(b"question")
    client.sock.shutdown(socket.SHUT_WR)
    expect_equal(served.recv(100, socket.MSG_WAITALL), b"question", "asked")
    answer = b"answer" * 1000000

    def send():
        with served:
            served.sendall(answer)

    # More than the sockets on the way may hold.
    sender = threading.Thread(target=send)
    sender.start()
    expect_equal(client.get_to_end(), answer, "answered")
    sender.join()
    client.close()


@behaviour
def the_target_may_finish_first(lab):
    for level, listener in [(2, "main"), (0, "clear")]:
        client, served = opened(lab, lab.place.plain, level=level,
                                listener=listener)
        served.sendall(b"banner")
        served.shutdown(socket.SHUT_WR)
        expect_equal(client.get_to_end(), b"banner", "banner")
        client.put(b"late" * 20000)
        client.sock.shutdown(socket.SHUT_WR)
        got = b""
        while data := served.recv(65536):
            got += data
        expect_equal(got, b"late" * 20000, "what came late")
        client.close()
        served.close()


@behaviour
def a_session_half_closed_for_too_long_ends(lab):
    client, served = opened(lab, lab.place.plain)
    name = client.name
    client.sock.shutdown(socket.SHUT_WR)
    start = time.monotonic()
    expect_equal(client.get_to_end(), b"", "from the target")
    expect(2 < time.monotonic() - start < 6, "ended after about 3 s")
    lab.audit.wait_for(client=name, event="close",
                       reason="half_close_timeout")
    served.close()


@behaviour
def a_reset_is_passed_on_to_the_target(lab):
    client, served = opened(lab, lab.place.plain)
    name = client.name
    client.put(b"hello")
    served.recv(5, socket.MSG_WAITALL)
    client.reset()
    try:
        served.recv(1)
        raise AssertionError("the target saw no reset")
    except ConnectionResetError:
        pass
    lab.audit.wait_for(client=name, event="close", reason="client_reset")


@behaviour
def a_reset_is_passed_on_to_the_client(lab):
    client, served = opened(lab, lab.place.plain)
    name = client.name
    served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    served.close()
    try:
        client.sock.recv(1)
        raise AssertionError("the client saw no reset")
    except ConnectionResetError:
        pass
    lab.audit.wait_for(client=name, event="close", reason="target_reset")


@behaviour
def a_stopped_reader_costs_little_memory(lab):
    pairs = [opened(lab, lab.place.plain, receive_buffer=4096)
             for _ in range(20)]
    before = lab.gateway.memory()
    for _, served in pairs:
        served.setblocking(False)
    stuffed = 0
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        for _, served in pairs:
            try:
                stuffed += served.send(b"x" * 65536)
            except BlockingIOError:
                pass
        time.sleep(0.01)
    grown = lab.gateway.memory() - before
    expect(stuffed > 20 * 65536, "the targets could send something")
    expect(grown < 20 * 600, f"memory grew by {grown} kB for 20 readers")
    for client, served in pairs:
        client.reset()
        served.close()


@behaviour
def a_client_that_dawdles_is_cut_off_at_its_deadline(lab):
    with Client(lab, timeout=30) as client:
        name = client.name
        start = time.monotonic()
        client.send(b"\x05\x01\x01")
        client.read_method()
        token = frame(socks.TOKEN, b"\x60" * 40000)
        try:
            for octet in token:
                client.send(bytes([octet]))
                client.sock.settimeout(1)
                try:
                    client.sock.recv(100)
                    break
                except TimeoutError:
                    pass
                expect(time.monotonic() - start < 25, "was cut off")
        except (Closed, ConnectionResetError):
            pass
        taken = time.monotonic() - start
    expect(13 < taken < 18, f"cut off after {taken:.1f} s")
    lab.audit.wait_for(client=name, event="close",
                       reason="handshake_timeout")


@behaviour
def nothing_is_left_open_behind_sessions(lab):
    def settled():
        count = lab.gateway.descriptors()
        time.sleep(0.5)
        return count == lab.gateway.descriptors() and count

    both_ways(lab, lab.place.plain, size=1000)
    before = wait_until(settled, "descriptors do not change", 20)
    for _ in range(50):
        both_ways(lab, lab.place.plain, size=1000)
    wait_until(lambda: lab.gateway.descriptors() <= before,
               "as many descriptors as before", 20)
