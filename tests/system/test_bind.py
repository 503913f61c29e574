# SPDX-License-Identifier: ISC
"""BIND (RFC 1928 section 4): the target calls back, and only the target."""

import os
import shutil
import socket
import time

from tests.lab.process import free_port, wait_until
from tests.lab.slapd import rule
from tests.lab.socks import (BIND, Client, Refused, Transfer, assert_same,
                             request_octets, run_transfers)
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.tls import Papers, TlsClient

# Peers, of which the first two may be called and may call.
PEER, PEER6, STRANGER = "10.77.0.80", "fd77::80", "10.77.0.66"
LISTEN, LISTEN6 = "10.99.0.1", "fd99::1"
LONG = True
PORTS = 24000, 24003

RULES = (
    rule("web", gwDestination=["10.77.0.0/16", "fd77::/64",
                               "*.example.com"]) +
    rule("callback", gwCommand="bind", gwDestination=[
        f"{PEER}/32", f"{PEER6}/128", "four.example.com",
        "mixed.example.com"]) +
    rule("callback-any", gwCommand="bind", gwPrincipal="carol@EXAMPLE.COM",
         gwDestination=["0.0.0.0/32", "10.77.0.0/24"]) +
    rule("never", "deny", gwOrder=1, gwDestination="10.77.0.99/32",
         gwCommand=["connect", "bind"]))
BASE = {"bind": {"address": [LISTEN, LISTEN6], "timeout": 3,
                 "port_min": PORTS[0], "port_max": PORTS[1]},
        "listener clear": {"protection_minimum": "none"}}
LAB = {"entries": RULES, "settings": BASE}
OPEN = {"entries": RULES, "settings": {
    **BASE, "bind": {**BASE["bind"], "require_connect": False}}}

LEVELS = [(0, "clear"), (1, "main"), (2, "main"), (3, "main")]


def call(where, source=PEER, seconds=10):
    """A connection from `source`, as the target makes it."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family)
    sock.settimeout(seconds)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, 78, 1)
    sock.bind((source, 0))
    sock.connect(where)
    return sock


def is_free(where):
    """Does nobody listen there?"""
    try:
        call(where, STRANGER if ":" not in where[0] else PEER6, 2).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it was closing at that moment
    return False


class Session:
    """An open CONNECT to `host`, as BIND demands."""

    def __init__(self, lab, host=PEER, user="alice"):
        self.target = lab.acceptor(host)
        self.client = Client(lab, user=user)
        self.client.connect(host, self.target.port)
        self.served = self.target.accept()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.served.close()


def refused(lab, reply, reason, host=PEER, port=0, event="decision",
            **options):
    with Client(lab, **options) as client:
        name = client.name
        client.ready()
        try:
            client.ask(host, port, BIND)
            raise AssertionError(f"BIND for {host} was taken")
        except Refused as refusal:
            expect_equal(refusal.args[0], reply, f"reply for {host}")
        client.closes_within(10)
    record = lab.audit.wait_for(client=name, event=event, outcome="fail")
    expect_equal(record["reason"], reason, "reason")
    expect_equal(record["command"], "bind", "command")
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 reason, "reason of the close record")
    return record


def transfer_after(client, caller):
    ends = [Transfer(client.sock, 300000, 1, client),
            Transfer(caller, 300000, 2)]
    run_transfers(ends)
    assert_same(*ends)


def served(lab, host, source, listen, level=2, listener="main"):
    """Both replies, then octets both ways and the records of it."""
    with Client(lab, level=level, listener=listener) as client:
        name = client.name
        client.ready()
        where = client.ask(host, 20, BIND)
        expect_equal(where[0], listen, "the address of the first reply")
        expect(PORTS[0] <= where[1] <= PORTS[1], f"port {where[1]}")
        caller = call(where, source)
        expect_equal(client.read_reply(), caller.getsockname()[:2],
                     "the second reply")
        transfer_after(client, caller)
        caller.close()
    shown = "[{}]:{}" if ":" in source else "{}:{}"
    listening, peer = shown.format(*where), shown.format(*client.bound)
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal((record["reason"], record["rule"]), ("ok", "callback"),
                 "the close record")
    for event in ["bind-peer", "open"]:
        record = lab.audit.wait_for(client=name, event=event, outcome="ok")
        expect_equal((record["dialled"], record["egress"], record["rule"]),
                     (peer, listening, "callback"), event)
    expect_equal(lab.audit.wait_for(client=name, event="decision")["command"],
                 "bind", "command")
    expect(is_free(where), "nobody listens there any more")


@behaviour
def both_replies_and_the_relay_at_every_level(lab):
    with Session(lab):
        for level, listener in LEVELS:
            served(lab, PEER, PEER, LISTEN, level, listener)


@behaviour
def both_replies_and_the_relay_over_ipv6_at_every_level(lab):
    with Session(lab, PEER6):
        for level, listener in LEVELS:
            served(lab, PEER6, PEER6, LISTEN6, level, listener)


@behaviour
def a_name_is_resolved_and_judged_at_every_level(lab):
    with Session(lab):
        for level, listener in LEVELS:
            served(lab, "four.example.com", PEER, LISTEN, level, listener)


@behaviour
def of_a_names_addresses_the_one_that_is_connected_may_call(lab):
    lab.names.table["mixed.example.com"] = ["10.77.0.99", PEER6, PEER]
    with Session(lab):
        served(lab, "mixed.example.com", PEER, LISTEN)
    with Session(lab, PEER6):
        served(lab, "mixed.example.com", PEER6, LISTEN6)


@behaviour
def strangers_are_closed_and_recorded_and_the_wait_goes_on(lab):
    with Session(lab), Client(lab) as client:
        name = client.name
        client.ready()
        where = client.ask(PEER, 0, BIND)
        strangers = [STRANGER, "10.77.0.99", "10.77.1.80", LISTEN]
        for source in strangers:
            stranger = call(where, source)
            try:
                expect_equal(stranger.recv(1), b"", "what a stranger gets")
            except ConnectionResetError:
                pass
            stranger.close()
        caller = call(where)
        expect_equal(client.read_reply(), caller.getsockname(),
                     "the second reply")
        transfer_after(client, caller)
        caller.close()
    lab.audit.wait_for(client=name, event="close", reason="ok")
    records = lab.audit.find(client=name, event="bind-peer")
    expect_equal([r["dialled"].rpartition(":")[0] for r in records],
                 [*strangers, PEER], "callers on record")
    expect_equal([r["reason"] for r in records],
                 ["bind_stranger"] * len(strangers) + ["ok"], "reasons")


@behaviour
def only_one_caller_is_taken(lab):
    with Session(lab), Client(lab) as client:
        client.ready()
        where = client.ask(PEER, 0, BIND)
        caller = call(where)
        client.read_reply()
        try:
            second = call(where)
            expect_equal(second.recv(1), b"", "what the second gets")
            raise AssertionError("a second caller was accepted")
        except (ConnectionRefusedError, ConnectionResetError):
            pass
        caller.sendall(b"from the first")
        expect_equal(client.get(14), b"from the first", "octets")
        caller.close()


@behaviour
def the_second_reply_tells_of_the_timeout(lab):
    with Session(lab):
        for level, listener in LEVELS:
            with Client(lab, level=level, listener=listener) as client:
                name = client.name
                client.ready()
                where = client.ask(PEER, 0, BIND)
                start = time.monotonic()
                try:
                    client.read_reply()
                    raise AssertionError("nobody has called")
                except Refused as refusal:
                    expect_equal(refusal.args[0], 6, "the second reply")
                expect(2.5 < time.monotonic() - start < 10, "after 3 s")
                client.closes_within(10)
            expect(is_free(where), "the port is free")
            for event in ["open", "close"]:
                record = lab.audit.wait_for(client=name, event=event)
                expect_equal(record["reason"], "bind_timeout", event)


@behaviour
def a_client_that_closes_frees_the_port_at_once(lab):
    with Session(lab):
        for leave, reason in [
                (lambda c: c.close(), "client_closed"),
                (lambda c: c.reset(), "client_reset"),
                (lambda c: (c.put(b"A" * 20000), c.close()),
                 "client_closed")]:
            client = Client(lab).ready()
            name = client.name
            where = client.ask(PEER, 0, BIND)
            start = time.monotonic()
            leave(client)
            wait_until(lambda: is_free(where), "the port is free", 2)
            record = lab.audit.wait_for(client=name, event="close")
            expect_equal(record["reason"], reason, "reason")
            expect(time.monotonic() - start < 2.5, "before the timeout")
            expect_equal(lab.audit.find(client=name, event="open"), [],
                         "records of a call")


@behaviour
def what_a_client_sends_ahead_waits_for_the_caller(lab):
    octets = bytes(range(256)) * 400
    with Session(lab):
        for level, listener in LEVELS:
            with Client(lab, level=level, listener=listener) as client:
                client.ready()
                client.put(request_octets(PEER, 0, BIND) + b"same message ")
                client.put(octets)
                where = client.read_reply()
                caller = call(where)
                client.read_reply()
                got = b""
                while len(got) < 13 + len(octets):
                    got += caller.recv(65536)
                expect(got == b"same message " + octets, "octets")
                caller.close()


@behaviour
def a_range_that_is_exhausted_is_1_until_a_port_is_free(lab):
    with Session(lab):
        waiting = []
        for _ in range(PORTS[1] - PORTS[0] + 1):
            client = Client(lab).ready()
            waiting.append(client)
            client.ask(PEER, 0, BIND)
        expect_equal(sorted(c.bound[1] for c in waiting),
                     list(range(PORTS[0], PORTS[1] + 1)), "ports")
        refused(lab, 1, "no_ports", event="open")
        waiting[0].close()
        wait_until(lambda: is_free(waiting[0].bound), "a port is free", 2)
        with Client(lab) as client:
            client.ready()
            expect_equal(client.ask(PEER, 0, BIND), waiting[0].bound,
                         "the port that became free")
        for client in waiting:
            client.close()


@behaviour
def without_a_rule_it_is_2(lab):
    with Session(lab, STRANGER):
        refused(lab, 2, "denied_no_rule", STRANGER)
    with Session(lab):
        record = refused(lab, 2, "denied_rule", "10.77.0.99")
        expect_equal(record["rule"], "never", "rule")
        refused(lab, 2, "denied_no_rule", "payroll.example.com")


@behaviour
def without_an_open_connect_of_the_same_identity_it_is_2(lab):
    refused(lab, 2, "bind_no_connect")
    refused(lab, 2, "bind_no_connect", "four.example.com")
    with Session(lab, PEER6):
        refused(lab, 2, "bind_no_connect")
    with Session(lab, user="bob"):
        refused(lab, 2, "bind_no_connect")
    with Session(lab) as session:
        served(lab, PEER, PEER, LISTEN)
        name = session.client.name
    lab.audit.wait_for(client=name, event="close")
    refused(lab, 2, "bind_no_connect")


@behaviour
def a_caller_is_refused_once_the_connect_is_over(lab):
    with Client(lab) as client:
        name = client.name
        with Session(lab) as session:
            other = session.client.name
            client.ready()
            where = client.ask(PEER, 0, BIND)
        lab.audit.wait_for(client=other, event="close")
        caller = call(where)
        expect_equal(caller.recv(1), b"", "what the caller gets")
        caller.close()
        record = lab.audit.wait_for(client=name, event="bind-peer")
        expect_equal(record["reason"], "bind_no_connect", "reason")


@behaviour
def any_caller_wants_a_rule_that_says_so_and_is_judged_itself(lab):
    refused(lab, 2, "denied_no_rule", "0.0.0.0")
    with Session(lab):
        refused(lab, 2, "denied_no_rule", "0.0.0.0")
        refused(lab, 2, "denied_no_rule", "::")
    refused(lab, 2, "bind_no_connect", "0.0.0.0", user="carol")
    with Session(lab, user="carol"), Session(lab, STRANGER, "carol"), \
            Session(lab, "10.77.1.80", "carol"), \
            Client(lab, user="carol") as client:
        name = client.name
        client.ready()
        where = client.ask("0.0.0.0", 0, BIND)
        expect_equal(where[0], LISTEN, "the listening address")
        for source, reason in [("10.77.0.99", "denied_rule"),
                               ("10.77.1.80", "denied_no_rule"),
                               ("10.77.0.81", "bind_no_connect")]:
            caller = call(where, source)
            expect_equal(caller.recv(1), b"", "what a stranger gets")
            caller.close()
            record = lab.audit.wait_for(client=name, event="bind-peer",
                                        reason=reason)
            expect(record["dialled"].startswith(source), "the caller")
        caller = call(where, STRANGER)
        expect_equal(client.read_reply(), caller.getsockname(),
                     "the second reply")
        caller.close()
    record = lab.audit.wait_for(client=name, event="open")
    expect_equal(record["rule"], "callback-any", "rule")


@behaviour(**OPEN)
def a_name_never_means_anybody(lab):
    lab.names.table["mixed.example.com"] = ["0.0.0.0"]
    refused(lab, 2, "denied_special", "mixed.example.com")
    with Client(lab, user="carol") as client:
        name = client.name
        client.ready()
        where = client.ask("mixed.example.com", 0, BIND)
        caller = call(where)
        expect_equal(caller.recv(1), b"", "what a stranger gets")
        caller.close()
    record = lab.audit.wait_for(client=name, event="bind-peer")
    expect_equal(record["reason"], "bind_stranger", "reason")


@behaviour(**OPEN)
def the_demand_for_a_connect_can_be_switched_off(lab):
    for level, listener in LEVELS:
        served(lab, PEER, PEER, LISTEN, level, listener)
    refused(lab, 2, "denied_no_rule", STRANGER)


@behaviour(entries=RULES, settings={
    "bind": {"advertise": ["192.0.2.7", "2001:db8::7"],
             "require_connect": False}})
def behind_a_nat_the_advertised_address_is_told(lab):
    for peer, told in [(PEER, "192.0.2.7"), (PEER6, "2001:db8::7")]:
        with Client(lab) as client:
            name = client.name
            client.ready()
            address, port = client.ask(peer, 0, BIND)
            expect_equal(address, told, "the address of the first reply")
            # No bind.address: our address on the way to the peer.
            caller = call((peer if ":" not in peer else LISTEN6, port), peer)
            client.read_reply()
            caller.close()
        record = lab.audit.wait_for(client=name, event="open")
        expect(record["egress"].endswith(f":{port}"), "the real port")
        expect(told not in record["egress"], "the real address")


@behaviour(entries=RULES, settings={**BASE, "bind": {
    **BASE["bind"], "timeout": 120}})
def a_flood_of_strangers_does_not_flood_the_records(lab):
    with Session(lab), Client(lab) as client:
        name = client.name
        client.ready()
        where = client.ask(PEER, 0, BIND)
        for _ in range(80):
            call(where, STRANGER).close()
        call(where).close()
        client.read_reply()
    record = lab.audit.wait_for(client=name, event="open")
    expect_equal(record["detail"], "16 more callers were closed", "detail")
    expect_equal(len(lab.audit.find(client=name, event="bind-peer",
                                    outcome="fail")), 64, "records")


@behaviour
def a_reload_leaves_those_who_wait_alone(lab):
    with Session(lab), Client(lab) as client:
        client.ready()
        where = client.ask(PEER, 0, BIND)
        lab.gateway.reload()
        caller = call(where)
        client.read_reply()
        transfer_after(client, caller)
        caller.close()


@behaviour
def the_gateways_end_frees_the_port(lab):
    with Session(lab), Client(lab) as client:
        name = client.name
        client.ready()
        where = client.ask(PEER, 0, BIND)
        lab.gateway.stop()
        expect(is_free(where), "the port is free")
        record = lab.audit.wait_for(client=name, event="close")
        expect_equal(record["reason"], "shutdown", "reason")
    lab.gateway.start()


@behaviour(start=False, **OPEN)
def inside_tls_too(lab):
    papers, folder = Papers(), f"{lab.directory}/tls"
    os.mkdir(folder)
    papers.install(papers.first, folder)
    lab.gateway.settings["listener tls"] = {
        "address": f"127.0.0.1:{free_port()}",
        "tls_certificate": f"{folder}/gw.pem", "tls_key": f"{folder}/gw.key"}
    lab.gateway.write_settings()
    lab.start()
    for level in [1, 2]:
        client = TlsClient(lab, papers, level=level, listener="tls").ready()
        client.put(request_octets(PEER, 0, BIND))
        client.put(b"sent ahead")
        caller = call(client.read_reply())
        expect_equal(client.read_reply(), caller.getsockname(),
                     "the second reply")
        expect_equal(caller.recv(10), b"sent ahead", "octets")
        transfer_after(client, caller)
        caller.close()
        client.close()
    client = TlsClient(lab, papers, listener="tls").ready()
    name = client.name
    where = client.ask(PEER, 0, BIND)
    client.close()
    wait_until(lambda: is_free(where), "the port is free", 2)
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal(record["reason"], "client_closed", "reason")
    shutil.rmtree(papers.directory)
