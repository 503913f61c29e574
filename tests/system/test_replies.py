# SPDX-License-Identifier: ISC
"""What a client is told, and what the record says, when a target cannot be
reached or may not be."""

import socket
import time

from tests.lab import dns
from tests.lab.process import wait_until
from tests.lab.slapd import rule
from tests.lab.socks import Client, Refused, request_octets
from tests.lab.suite import behaviour, expect, expect_equal

# One rule for anywhere, so that only reaching decides.
OPEN = (rule("anywhere", gwDestination=["0.0.0.0/0", "::/0", "*"]) +
        rule("forbidden", "deny", gwOrder=1,
             gwDestination=["10.77.9.9/32", "payroll.example.com"]))
LAB = {"entries": OPEN, "settings": {
    "session": {"attempt_timeout": 2, "connect_timeout": 4},
    "resolver": {"timeout": 1500},
    "listener clear": {"protection_minimum": "none"}}}


def refused(lab, host, port, reply, reason, within=10, event="open",
            **options):
    """The reply to the client, the close within 10 s, and the record."""
    with Client(lab, **options) as client:
        name = client.name
        client.ready()
        start = time.monotonic()
        try:
            client.ask(host, port)
            raise AssertionError(f"{host}:{port} was reached")
        except Refused as refusal:
            expect_equal(refusal.args[0], reply, f"reply for {host}:{port}")
        taken = time.monotonic() - start
        expect(taken < within, f"the reply took {taken:.1f} s")
        client.closes_within(10)
    record = lab.audit.wait_for(client=name, event=event, outcome="fail")
    expect_equal(record["reason"], reason, "reason")
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 reason, "reason of the close record")
    return record


def closed_port(address):
    with socket.socket(socket.AF_INET6 if ":" in address
                       else socket.AF_INET) as probe:
        probe.setsockopt(socket.IPPROTO_IP, 15, 1)
        if ":" in address:
            probe.setsockopt(socket.IPPROTO_IPV6, 78, 1)
        probe.bind((address, 0))
        return probe.getsockname()[1]


@behaviour
def success_tells_the_real_local_address(lab):
    acceptor = lab.acceptor(lab.place.plain)
    acceptor6 = lab.acceptor(lab.place.plain6)
    for host, port, spot in [
            (lab.place.plain, acceptor.port, acceptor),
            (lab.place.plain6, acceptor6.port, acceptor6)]:
        with Client(lab) as client:
            name = client.name
            client.connect(host, port)
            served = spot.accept()
            expect_equal(client.bound, served.getpeername()[:2],
                         "BND.ADDR and BND.PORT")
            served.close()
        record = lab.audit.wait_for(client=name, event="close")
        shown = "[{}]:{}" if ":" in host else "{}:{}"
        expect_equal(record["egress"], shown.format(*client.bound), "egress")
        expect_equal(record["dialled"], shown.format(host, port), "dialled")


@behaviour
def a_refused_connection_is_5(lab):
    for host in [lab.place.plain, lab.place.plain6]:
        refused(lab, host, closed_port(host), 5, "connect_refused")
        refused(lab, host, closed_port(host), 5, "connect_refused", level=0,
                listener="clear")
    refused(lab, "four.example.com", closed_port(lab.place.web), 5,
            "connect_refused")


@behaviour
def a_client_that_never_closes_is_left_within_ten_seconds(lab):
    with Client(lab) as client:
        client.ready()
        try:
            client.ask(lab.place.plain, closed_port(lab.place.plain))
        except Refused:
            start = time.monotonic()
        expect_equal(client.get_to_end(), b"", "behind the reply")
        # What is sent to a socket that nobody has any more is reset.
        wait_until(lambda: not accepts(client.sock), "the close", 10)
        expect(time.monotonic() - start < 10, "within 10 s")


def accepts(sock):
    try:
        sock.send(b"?")
        return True
    except (ConnectionResetError, BrokenPipeError):
        return False


@behaviour
def a_network_without_a_way_is_3(lab):
    for host in ["10.79.0.1", "2001:db8::1"]:
        refused(lab, host, 80, 3, "network_unreachable")


@behaviour
def a_host_without_a_way_is_4(lab):
    for host in ["10.78.0.1", "fd78::1"]:
        refused(lab, host, 80, 4, "host_unreachable")


@behaviour
def a_silent_host_is_4(lab):
    # A full backlog: SYNs are dropped.
    acceptor = lab.acceptor(lab.place.plain, backlog=0)
    stuffing = []
    for _ in range(4):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((acceptor.address, acceptor.port))
        stuffing.append(sock)
    time.sleep(0.2)
    refused(lab, acceptor.address, acceptor.port, 4, "connect_timeout")
    for sock in stuffing:
        sock.close()


@behaviour
def a_name_that_does_not_exist_is_4(lab):
    refused(lab, "nowhere.example.com", 80, 4, "name_unknown",
            event="decision")
    lab.names.table["empty.example.com"] = []
    refused(lab, "empty.example.com", 80, 4, "name_unknown",
            event="decision")


@behaviour
def a_name_server_that_fails_or_is_silent_is_4(lab):
    lab.names.table["broken.example.com"] = dns.SERVFAIL
    refused(lab, "broken.example.com", 80, 4, "resolver_failed",
            event="decision")
    lab.names.table["silent.example.com"] = lambda *_: None
    refused(lab, "silent.example.com", 80, 4, "resolver_failed",
            event="decision")


@behaviour
def a_denied_request_is_2_and_the_rule_is_on_record(lab):
    for host in ["10.77.9.9", "payroll.example.com"]:
        before = len(lab.names.asked)
        record = refused(lab, host, 80, 2, "denied_rule", event="decision")
        expect_equal(record["rule"], "forbidden", "rule")
        if host == "payroll.example.com":
            expect("payroll.example.com" not in
                   [name for name, _ in lab.names.asked[before:]],
                   "no query for a name that is denied anyway")


@behaviour
def the_other_family_is_tried_when_one_is_silent(lab):
    """RFC 8305: the record says which address was dialled."""
    acceptor = lab.acceptor(lab.place.plain)
    for name, bad in [("both1.example.com", "fd78::1"),
                      ("both2.example.com", "2001:db8::1")]:
        lab.names.table[name] = [bad, lab.place.plain]
        with Client(lab) as client:
            ours = client.name
            start = time.monotonic()
            client.connect(name, acceptor.port)
            expect(time.monotonic() - start < 2, "without a long wait")
            acceptor.accept().close()
        record = lab.audit.wait_for(client=ours, event="open")
        expect_equal(record["dialled"],
                     f"{lab.place.plain}:{acceptor.port}", "dialled")


@behaviour
def a_denied_address_of_a_name_is_never_dialled(lab):
    good, bad = lab.acceptor(lab.place.plain), lab.target(
        address="10.77.9.9")
    lab.names.table["mixed.example.com"] = ["10.77.9.9", lab.place.plain]
    with Client(lab) as client:
        name = client.name
        client.connect("mixed.example.com", good.port)
        good.accept().close()
    lab.audit.wait_for(client=name, event="open", outcome="ok",
                       dialled=f"{lab.place.plain}:{good.port}")
    lab.names.table["bad.example.com"] = ["10.77.9.9"]
    refused(lab, "bad.example.com", bad.port, 2, "denied_rule",
            event="decision")
    expect_equal(bad.connections, 0, "connections to the denied address")


@behaviour
def a_client_that_gives_up_cancels_its_connection(lab):
    acceptor = lab.acceptor(lab.place.plain, backlog=0)
    stuffing = []
    for _ in range(4):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((acceptor.address, acceptor.port))
        stuffing.append(sock)
    time.sleep(0.2)
    client = Client(lab).ready()
    name = client.name
    client.put(request_octets(acceptor.address, acceptor.port))
    time.sleep(0.3)
    client.reset()
    lab.audit.wait_for(client=name, event="close")
    wait_until(lambda: not lab.audit.find(client=name, event="open",
                                          outcome="ok"), "no open record")
    for sock in stuffing:
        sock.close()
