# SPDX-License-Identifier: ISC
"""Clients that do not keep to RFC 1928 and RFC 1961.

None gets an octet to a target, and each leaves a record with its reason.
"""

import socket

import gssapi.raw as gss

from tests.lab import socks
from tests.lab.process import wait_until
from tests.lab.socks import (Aborted, Client, Closed, DATA, LEVEL, Refused,
                             TOKEN, frame, request_octets)
from tests.lab.suite import behaviour, expect, expect_equal

LAB = {"settings": {
    "listener strict": {"protection_minimum": "confidentiality"},
}}

MUTUAL, REPLAY, SEQUENCE = (
    gss.RequirementFlag.mutual_authentication,
    gss.RequirementFlag.replay_detection,
    gss.RequirementFlag.out_of_sequence_detection)

# LIBGSSAPI answers this with "go on" and no token.
HALF_TOKEN = bytes.fromhex("600f06092a864886f71201020202004141")

target = None


def victim(lab):
    """A target that would remember whatever reached it."""
    global target
    if target is None:
        target = lab.target()
    return target


def refused(lab, cheat, reason, answer=None, **options):
    """Runs cheat(client); the gateway must end it, with that reason (or one
    of those) on record, and nothing may have reached the target."""
    reached = victim(lab).connections
    with Client(lab, **options) as client:
        name = client.name
        try:
            cheat(client)
            rest = client.read_to_end()
        except (Aborted, Closed, Refused):
            rest = None
        if answer is not None:
            expect_equal(rest, answer, "the answer")
    reasons = {reason} if isinstance(reason, str) else set(reason)
    record = lab.audit.wait_for(client=name, event="close",
                                reason=lambda got: got in reasons)
    if record["reason"] != "client_closed":
        expect_equal(record["outcome"], "fail", "outcome")
    expect_equal(victim(lab).connections, reached, "connections to the target")
    return record


def ask_victim(client):
    return request_octets(target.address, target.port)


# The greeting

@behaviour
def another_protocol_is_closed_without_an_answer(lab):
    for opening in [
            b"\x04\x01\x00\x50\x0a\x4d\x00\x50\x00",      # SOCKS4
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03",  # TLS
            b"GET / HTTP/1.1\r\nHost: www\r\n\r\n",
            b"CONNECT www:80 HTTP/1.1\r\n\r\n",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",    # PROXY v2
            b"\x00", b"\xff" * 300]:
        refused(lab, lambda c: c.send(opening), "bad_version", answer=b"")


@behaviour
def methods_that_are_not_allowed_get_FF(lab):
    for methods in [b"\x00", b"\x00\x02", b"", b"\x03\x80\xfe\xff"]:
        refused(lab, lambda c: c.send(bytes([5, len(methods)]) + methods),
                "no_method", answer=b"\x05\xff")


@behaviour
def a_greeting_that_is_cut_off_gets_no_answer(lab):
    def cut(client):
        client.send(b"\x05\x03\x00\x01")
        client.sock.shutdown(socket.SHUT_WR)
    refused(lab, cut, "truncated", answer=b"")


@behaviour
def nothing_but_a_greeting_comes_first(lab):
    for opening in [lambda c: frame(TOKEN, c.initiate()),
                    lambda c: frame(DATA, ask_victim(c))]:
        refused(lab, lambda c: c.send(opening(c)), "bad_version", answer=b"")
    # In clear, a request looks like a greeting that offers method 0.
    refused(lab, lambda c: c.send(ask_victim(c)), "no_method",
            answer=b"\x05\xff")


@behaviour
def a_handshake_that_is_cut_off_anywhere_reaches_nobody(lab):
    def cut(client):
        """Sends so many octets of what an honest client would, in three
        parts of which each waits for its answer."""
        left = [offset]

        def send(octets):
            client.sock.sendall(octets[:left[0]])
            left[0] -= len(octets)
            if left[0] < 0:
                client.sock.shutdown(socket.SHUT_WR)
                raise Closed("by us")

        send(b"\x05\x01\x01")
        client.read_method()
        send(frame(TOKEN, client.initiate()))
        client.finish_authentication()
        send(client.level_message())
        client.read_granted()
        send(client.sealed(ask_victim(client)))
        raise AssertionError(f"{offset} octets were the whole handshake")

    offset = 1
    while offset < 3 + 4 + 600:
        refused(lab, cut, ("truncated", "client_closed"))
        offset += 1 if offset < 12 else 37
    with Client(lab) as client:
        whole = 3 + len(frame(TOKEN, client.initiate()))
    for offset in [whole - 1, whole, whole + 1, whole + 4, whole + 36,
                   whole + 37, whole + 41, whole + 100]:
        refused(lab, cut, ("truncated", "client_closed"))


# The context, RFC 1961 section 3

def with_token(octets):
    def cheat(client):
        client.greet()
        client.send(octets)
    return cheat


@behaviour
def a_message_of_another_form_is_aborted(lab):
    token = b"\x60" + b"A" * 40
    for octets in [frame(TOKEN, token, version=2),
                   frame(TOKEN, token, version=5),
                   frame(LEVEL, token), frame(DATA, token),
                   frame(0, token), frame(TOKEN, b"")]:
        refused(lab, with_token(octets), "gss_bad_frame",
                answer=b"\x01\xff\x00\x00")


@behaviour
def an_abort_from_a_client_ends_it(lab):
    with Client(lab) as client:
        name = client.name
        client.greet()
        client.send(b"\x01\xff")
        expect_equal(client.read_to_end(), b"", "the answer")
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal(record["reason"], "client_closed", "reason")


@behaviour
def a_token_of_65535_octets_is_refused(lab):
    refused(lab, with_token(frame(TOKEN, b"\x60" * 65535)), "gss_bad_frame")


@behaviour
def a_token_as_large_as_allowed_is_read_and_refused(lab):
    refused(lab, with_token(frame(TOKEN, b"\x60" * 49152)),
            "gss_defective_token", answer=b"\x01\xff\x00\x00")


@behaviour
def ten_thousand_tokens_of_one_octet_are_refused(lab):
    refused(lab, with_token(frame(TOKEN, b"\x60") * 10000),
            ("gss_defective_token", "gss_rounds"))


@behaviour
def garbage_as_a_token_is_refused(lab):
    for token in [b"A", b"\x00" * 100, b"\x60\x82\xff\xff" + b"B" * 200,
                  b"\x60\x84\xff\xff\xff\xff", b"\x6e" * 1000]:
        refused(lab, with_token(frame(TOKEN, token)),
                ("gss_defective_token", "gss_no_credential"),
                answer=b"\x01\xff\x00\x00")


@behaviour
def half_a_context_is_not_a_proof(lab):
    def cheat(client):
        client.greet()
        client.send(frame(TOKEN, HALF_TOKEN))
        client.send(request_octets(target.address, target.port))
    refused(lab, cheat, "gss_rounds", answer=b"\x01\xff\x00\x00")


@behaviour
def another_mechanism_is_refused(lab):
    def cheat(client):
        client.greet()
        client.send(frame(TOKEN, client.initiate()))
    refused(lab, cheat, "gss_no_credential", mech=socks.SPNEGO)


@behaviour
def a_context_without_mutual_or_replay_is_aborted(lab):
    for flags in [{REPLAY, SEQUENCE}, {MUTUAL, SEQUENCE}, set()]:
        refused(lab, lambda c: c.ready(), "gss_flags",
                flags=frozenset(flags))


@behaviour
def a_context_without_sequence_may_not_connect(lab):
    def cheat(client):
        client.ready()
        try:
            client.ask(target.address, target.port)
        except Refused as refusal:
            expect_equal(refusal.args[0], 2, "reply")
            raise
        raise AssertionError("the request was granted")
    refused(lab, cheat, "gss_flags", flags=frozenset({MUTUAL, REPLAY}))


@behaviour
def a_ticket_for_another_service_is_refused(lab):
    for service in ["host@gw.example.com", "HTTP@gw.example.com"]:
        record = refused(lab, lambda c: c.ready(), "gss_wrong_service",
                         service=service)
        expect("identity" not in record, "nobody was proved")


@behaviour
def a_context_token_counts_once(lab):
    seen = []

    def honest(client):
        client.greet()
        seen.append(client.initiate())
        client.send(frame(TOKEN, seen[0]))
        client.finish_authentication()

    with Client(lab) as client:
        honest(client)
    refused(lab, with_token(frame(TOKEN, seen[0])), "gss_token_replay")


@behaviour
def a_flipped_bit_in_a_context_token_proves_nobody(lab):
    """Only the plain head of an AP-REQ is outside what is sealed.  Nobody
    looks at its options and name types: with a flip in those the context
    comes about all the same."""
    taken = []

    def cheat(client):
        client.greet()
        client.send(frame(TOKEN, bytes(changed)))
        client.read_frame(TOKEN)
        client.sock.settimeout(0.3)
        try:
            client.read_frame(TOKEN)  # behind an error comes the abort
        except TimeoutError:
            taken.append(position)
            raise Closed("by us") from None

    with Client(lab) as client:
        name = client.name
        token = client.initiate()
    lab.audit.wait_for(client=name, event="close")
    for position in range(0, len(token), 23):
        changed = bytearray(token)
        changed[position] ^= 1 << (position % 8)
        refused(lab, cheat, (
            "gss_defective_token", "gss_no_credential", "gss_rounds",
            "gss_wrong_service", "gss_key_unknown", "gss_token_replay",
            "gss_clock_skew", "gss_flags", "truncated", "client_closed"))
    expect(all(17 <= position < 120 for position in taken) and
           len(taken) <= 3, f"taken with flips at {taken}")


@behaviour
def a_context_token_that_is_cut_off_is_not_used(lab):
    def cheat(client):
        client.greet()
        client.send(frame(TOKEN, client.initiate())[:-1])
        client.sock.shutdown(socket.SHUT_WR)
    refused(lab, cheat, "truncated")


@behaviour
def a_request_instead_of_a_token_is_refused(lab):
    def cheat(client):
        client.greet()
        client.send(ask_victim(client))
    refused(lab, cheat, "gss_bad_frame")


# The protection level, RFC 1961 section 4

def with_level(make):
    def cheat(client):
        client.greet()
        client.authenticate()
        client.send(make(client))
    return cheat


@behaviour
def what_is_not_one_sealed_octet_is_no_level(lab):
    for make in [
            lambda c: frame(LEVEL, c.wrap(b"\x02\x02", False)),
            lambda c: frame(LEVEL, c.wrap(b"", False)),
            lambda c: frame(LEVEL, b"\x02"),              # as NEC does
            lambda c: frame(LEVEL, b"\x02" * 60),
            lambda c: frame(LEVEL, c.wrap(ask_victim(c), False))]:
        refused(lab, with_level(make), ("gss_level", "gss_defective"))


@behaviour
def the_level_has_a_message_type_of_its_own(lab):
    for make in [lambda c: frame(DATA, c.wrap(b"\x02", False)),
                 lambda c: frame(TOKEN, c.wrap(b"\x02", False)),
                 lambda c: frame(LEVEL, b""),
                 lambda c: frame(LEVEL, c.wrap(b"\x02", False), version=3)]:
        refused(lab, with_level(make), ("gss_bad_frame", "gss_level"))


@behaviour
def a_request_before_the_level_is_refused(lab):
    refused(lab, with_level(ask_victim), "gss_bad_frame")


@behaviour
def only_levels_of_the_listener_are_granted(lab):
    for listener, allowed in [("main", {1, 2, 3}), ("strict", {2})]:
        for level in range(256):
            with Client(lab, level=level, listener=listener) as client:
                name = client.name
                client.greet()
                client.authenticate()
                try:
                    granted = client.negotiate()
                except (Aborted, Closed):
                    lab.audit.wait_for(client=name, reason="gss_level")
                    continue
                expect(granted in allowed,
                       f"asked {level}, was granted {granted} on {listener}")
                if level in allowed:
                    expect_equal(granted, level, "granted as asked")


# Messages, RFC 1961 section 5, before there is a target

def after_level(make):
    def cheat(client):
        client.ready()
        client.send(make(client))
    return cheat


@behaviour
def a_clear_request_after_a_granted_level_is_refused(lab):
    for level in [1, 2, 3]:
        refused(lab, after_level(ask_victim), "gss_clear", level=level)


@behaviour
def a_message_without_confidentiality_at_level_2_is_refused(lab):
    refused(lab, after_level(
        lambda c: c.sealed(ask_victim(c), confidential=False)),
        "gss_confidentiality", level=2)


@behaviour
def messages_that_are_swapped_dropped_or_repeated_are_refused(lab):
    def pieces(client):
        request = ask_victim(client)
        return [client.sealed(request[:4]), client.sealed(request[4:6]),
                client.sealed(request[6:])]

    for level in [1, 2, 3]:
        refused(lab, after_level(lambda c: (lambda p: p[1] + p[0] + p[2])(
            pieces(c))), "gss_order", level=level)
        refused(lab, after_level(lambda c: (lambda p: p[0] + p[2])(
            pieces(c))), "gss_order", level=level)
        refused(lab, after_level(lambda c: (lambda p: p[0] + p[0])(
            pieces(c))), "gss_replay", level=level)


@behaviour
def the_level_message_is_no_data(lab):
    def cheat(client):
        client.greet()
        client.authenticate()
        message = client.level_message()
        client.send(message)
        client.read_granted()
        client.send(frame(DATA, message[4:]))
    refused(lab, cheat, ("gss_replay", "gss_confidentiality"))


@behaviour
def a_flipped_bit_in_a_request_is_refused(lab):
    for level in [1, 2]:
        for position in [0, 1, 2, 3, 5, 9, 15, 16, 20, 37]:
            def flipped(client):
                token = bytearray(client.wrap(ask_victim(client)))
                token[position] ^= 0x10
                return frame(DATA, bytes(token))
            refused(lab, after_level(flipped),
                    ("gss_defective", "gss_order", "gss_confidentiality"),
                    level=level)


@behaviour
def a_message_of_another_context_is_refused(lab):
    with Client(lab) as other:
        other.ready()
        refused(lab, after_level(lambda c: other.sealed(ask_victim(c))),
                "gss_defective")


@behaviour
def a_data_message_of_another_form_is_refused(lab):
    for make in [
            lambda c: frame(TOKEN, c.wrap(ask_victim(c))),
            lambda c: frame(LEVEL, c.wrap(ask_victim(c))),
            lambda c: frame(DATA, c.wrap(ask_victim(c)), version=2)]:
        refused(lab, after_level(make), "gss_bad_frame")
    for make in [lambda c: frame(DATA, b""), lambda c: frame(DATA, b"\x05"),
                 lambda c: frame(DATA, b"\x05" * 65535)]:
        refused(lab, after_level(make), ("gss_bad_frame", "gss_defective"))


@behaviour
def a_request_that_is_cut_off_is_refused(lab):
    def cut_token(client):
        client.ready()
        client.send(client.sealed(ask_victim(client))[:-1])
        client.sock.shutdown(socket.SHUT_WR)

    def cut_request(client):
        client.ready()
        client.put(ask_victim(client)[:-1])
        client.sock.shutdown(socket.SHUT_WR)

    refused(lab, cut_token, "truncated")
    refused(lab, cut_request, "truncated")


# Requests, RFC 1928 section 4

def refused_request(lab, octets, reply, reason):
    def cheat(client):
        client.ready()
        client.put(octets)
        try:
            client.read_reply()
        except Refused as refusal:
            expect_equal(refusal.args[0], reply, f"reply to {octets!r}")
            raise
        raise AssertionError(f"{octets!r} was granted")
    record = refused(lab, cheat, reason)
    lab.audit.wait_for(client=record["client"], event="decision",
                       reason=record["reason"], outcome="fail")


@behaviour
def requests_out_of_form_get_their_reply(lab):
    port = victim(lab).port
    address = target.address
    for octets, reply, reason in [
            (request_octets(address, port, version=4), 1, "bad_request"),
            (request_octets(address, port, version=1), 1, "bad_request"),
            (request_octets(address, port, reserved=1), 1, "bad_request"),
            (request_octets(address, port, command=0), 7,
             "command_unsupported"),
            (request_octets(address, port, command=2), 2, "denied_no_rule"),
            (request_octets(address, port, command=3), 2, "udp_source"),
            (request_octets("0.0.0.0", 0, command=3), 2, "denied_no_rule"),
            (request_octets(address, port, command=255), 7,
             "command_unsupported"),
            (b"\x05\x01\x00\x00" + b"\0" * 8, 8, "address_type_unsupported"),
            (b"\x05\x01\x00\x02" + b"\0" * 8, 8, "address_type_unsupported"),
            (b"\x05\x01\x00\x05" + b"\0" * 8, 8, "address_type_unsupported"),
            (b"\x05\x01\x00\xff" + b"\0" * 8, 8, "address_type_unsupported"),
            (request_octets(address, 0), 2, "port_zero")]:
        refused_request(lab, octets, reply, reason)


@behaviour
def names_that_are_none_are_refused_and_never_cut(lab):
    port = victim(lab).port
    for name in [b"", b"four.example.com\0.evil.example", b"\0",
                 b"four.example.com\0", b"four example.com", b"a..example.com",
                 b"-a.example.com", b"four.example.com\r\n", b"%00", b"a:80",
                 "bücher.example.com".encode(), b"\xff\xfe",
                 b"a" * 64 + b".example.com", b"127.1", b"0x7f000001",
                 b"0177.0.0.1", b"2130706433", b"010.77.0.80", b"0",
                 b"1.2.3", b"::1%lo", b"*", b"*.example.com",
                 b".".join([b"a" * 61] * 4) + b".bbbbbb"]:
        refused_request(lab, request_octets(name, port), 1, "bad_name")


# Messages while the relay runs

def broken_relay(lab, cheat, reason, level=2):
    """The target has got "good"; what the cheat sends must not follow."""
    spot = lab.target()
    with Client(lab, level=level) as client:
        name = client.name
        client.connect(spot.address, spot.port)
        client.put(b"good")
        wait_until(lambda: spot.octets == b"good", "the good octets arrive")
        try:
            cheat(client)
            client.read_to_end()
        except Closed:
            pass
    reasons = {reason} if isinstance(reason, str) else set(reason)
    record = lab.audit.wait_for(client=name, event="close",
                                reason=lambda got: got in reasons)
    expect_equal(spot.octets, b"good", "what the target got")
    expect_equal(record["bytes_to_target"], "4", "octets on record")
    expect_equal(record["outcome"], "fail", "outcome")
    expect(float(record["duration"]) < 20, "duration")


@behaviour
def a_cheat_while_relaying_ends_the_session(lab):
    def flipped(client):
        token = bytearray(client.wrap(b"EVIL" * 100))
        token[-3] ^= 1
        client.send(frame(DATA, bytes(token)))

    def replayed(client):
        message = client.sealed(b"")
        client.send(message + message)

    def dropped(client):
        client.sealed(b"lost")
        client.put(b"EVIL")

    def swapped(client):
        first, second = client.sealed(b"EVIL1"), client.sealed(b"EVIL2")
        client.send(second + first)

    for level in [1, 2, 3]:
        broken_relay(lab, flipped, "gss_defective", level)
        broken_relay(lab, replayed, "gss_replay", level)
        broken_relay(lab, dropped, "gss_order", level)
        broken_relay(lab, swapped, "gss_order", level)


@behaviour
def an_integrity_only_message_while_relaying_at_level_2_ends_it(lab):
    broken_relay(lab, lambda c: c.put(b"EVIL", confidential=False),
                 "gss_confidentiality")


@behaviour
def clear_octets_while_relaying_end_it(lab):
    for octets in [b"EVIL and more of it", b"\x05\x01\x00\x01",
                   frame(TOKEN, b"EVIL"), frame(DATA, b""),
                   frame(DATA, b"EVIL" * 9)]:
        broken_relay(lab, lambda c: c.send(octets),
                     ("gss_bad_frame", "gss_defective", "gss_clear"))


@behaviour
def a_message_cut_off_while_relaying_is_not_delivered(lab):
    def cut(client):
        client.send(client.sealed(b"EVIL" * 1000)[:-5])
        client.sock.shutdown(socket.SHUT_WR)
    broken_relay(lab, cut, "truncated")


@behaviour
def after_all_of_this_an_honest_client_is_served(lab):
    with Client(lab) as client:
        name = client.name
        client.connect(victim(lab).address, target.port)
        client.put(b"honest")
        client.sock.shutdown(socket.SHUT_WR)
        client.get_to_end()
    lab.audit.wait_for(client=name, event="close", reason="ok",
                       bytes_to_target=6)
