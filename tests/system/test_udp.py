# SPDX-License-Identifier: ISC
"""UDP ASSOCIATE (RFC 1928 section 7, RFC 1961 section 5): datagrams only
between the client and whom it may and did send to."""

import socket
import struct
import tempfile
import time

from tests.lab.process import free_port, wait_until
from tests.lab.slapd import group_dn, rule
from tests.lab.socks import (Association, Client, Closed, DATA,
                             DATAGRAM_FLAGS, FLAGS, Refused, datagram_octets,
                             frame)
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.tls import Papers, TlsClient

PEER, PEER6, FORBIDDEN = "10.77.0.80", "fd77::80", "10.77.9.9"

RULES = (
    rule("never", "deny", gwOrder=1, gwCommand="udp",
         gwDestination=[f"{FORBIDDEN}/32", "payroll.example.com"]) +
    rule("datagrams", gwGroup=group_dn("staff"), gwCommand="udp",
         gwDestination=["10.77.0.0/16", "fd77::/64", "*.example.com",
                        "127.0.0.1/32"]) +
    rule("secret", gwPrincipal="bob@EXAMPLE.COM", gwCommand="udp",
         gwProtection="confidentiality", gwDestination=f"{PEER}/32") +
    rule("streams", gwDestination="10.77.0.0/16"))
CLEAR = {"protection_minimum": "none", "allow_clear_udp": True}
PAPERS = Papers()
INSTALLED = tempfile.mkdtemp(prefix="installed.", dir=PAPERS.directory)
PAPERS.install(PAPERS.first, INSTALLED)
LAB = {"entries": RULES, "settings": {
    "listener tls": {**CLEAR, "tls_certificate": f"{INSTALLED}/gw.pem",
                     "tls_key": f"{INSTALLED}/gw.key"},
    "listener clear": CLEAR,
    "listener sealed": {"protection_minimum": "none"},
    "listener nat": {"udp_advertise": "192.0.2.1"},
    "listener six": {"address": f"[::1]:{free_port()}"},
}}

LEVELS = [(0, "clear"), (1, "main"), (2, "main"), (3, "main")]


def associate(lab, announce=("0.0.0.0", 0), source=None, port=0, **options):
    options.setdefault("flags", DATAGRAM_FLAGS)
    client = Client(lab, **options).ready()
    return Association(client, announce, source, port)


def summary_of(lab, name):
    record = lab.audit.wait_for(client=name, event="udp-summary")
    expect_equal(lab.audit.wait_for(client=name, event="close")["session"],
                 record["session"], "session of the close record")
    return record


def refused(lab, reply, reason, announce=("0.0.0.0", 0), **options):
    options.setdefault("flags", DATAGRAM_FLAGS)
    with Client(lab, **options) as client:
        name = client.name
        client.ready()
        try:
            Association(client, announce).close()
            raise AssertionError("the association was granted")
        except Refused as refusal:
            expect_equal(refusal.args[0], reply, "reply")
        client.closes_within(10)
    record = lab.audit.wait_for(client=name, event="decision")
    expect_equal((record["outcome"], record["reason"], record["command"]),
                 ("fail", reason, "udp"), "decision")
    expect_equal(lab.audit.find(client=name, event="udp-summary"), [],
                 "summaries")


# What goes through

@behaviour
def datagrams_go_both_ways_at_every_level(lab):
    echoes = {"10.77.0.80": lab.echo(PEER), "fd77::80": lab.echo(PEER6)}
    for level, listener in LEVELS:
        with associate(lab, level=level, listener=listener) as association:
            name = association.client.name
            octets = 0
            for host, address in [(PEER, PEER), (PEER6, PEER6),
                                  ("four.example.com", PEER),
                                  ("SIX.example.com.", PEER6)]:
                port = echoes[address].port
                for size in [0, 1, 512, 1472, 20000, 65000]:
                    payload = bytes([size % 251]) * size
                    association.send(host, port, payload)
                    expect_equal(association.receive(),
                                 (address, port, payload),
                                 f"{size} octets by {host} at {level}")
                    octets += size
        summary = summary_of(lab, name)
        expect_equal(
            (summary["datagrams_to_target"], summary["datagrams_to_client"],
             summary["bytes_to_target"], summary["bytes_to_client"],
             summary["dropped"]),
            ("24", "24", str(octets), str(octets), "0"), "summary")
        expect_equal(summary["detail"],
                     f"sent to: {PEER}:{echoes[PEER].port} "
                     f"[{PEER6}]:{echoes[PEER6].port} "
                     f"four.example.com:{echoes[PEER].port} "
                     f"six.example.com:{echoes[PEER6].port}", "detail")
        closed = lab.audit.wait_for(client=name, event="close")
        expect_equal((closed["reason"], closed["bytes_to_target"]),
                     ("ok", str(octets)), "close")


@behaviour
def each_destination_is_on_record_with_its_rule(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        for _ in range(3):
            association.send("four.example.com", echo.port, b"x")
            association.receive()
    summary_of(lab, name)
    decisions = lab.audit.find(client=name, event="decision")
    expect_equal([(d["outcome"], d["rule"], d.get("destination"),
                   d.get("dialled")) for d in decisions],
                 [("ok", "datagrams", None, None),
                  ("ok", "datagrams", f"four.example.com:{echo.port}",
                   f"{PEER}:{echo.port}")], "decisions")
    opened = lab.audit.wait_for(client=name, event="open")
    expect_equal(opened["egress"],
                 "%s:%d" % association.relay, "where the client sends")


@behaviour
def a_name_server_answers_through_it(lab):
    query = (struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) +
             b"\x04four\x07example\x03com\0" + struct.pack(">HH", 1, 1))
    with associate(lab) as association:
        association.send(lab.names.address, lab.names.port, query)
        _, port, answer = association.receive()
        expect_equal(port, lab.names.port, "port of the answer")
        expect_equal(answer[:2], query[:2], "the query's id")
        expect(socket.inet_aton(PEER) in answer, f"an answer: {answer!r}")


@behaviour
def a_client_may_speak_ipv6(lab):
    echo = lab.echo(PEER)
    with associate(lab, announce=("::", 0), listener="six") as association:
        expect_equal(association.relay[0], "::1", "the relay's address")
        association.send(PEER, echo.port, b"hello")
        expect_equal(association.receive()[2], b"hello", "the echo")


@behaviour
def a_context_with_sequence_serves_too(lab):
    echo = lab.echo(PEER)
    with associate(lab, flags=FLAGS) as association:
        first = association.message(PEER, echo.port, b"first")
        association.send(PEER, echo.port, b"second")
        expect_equal(association.receive()[2], b"second", "the echo")
        association.put(first)
        expect_equal(association.receive()[2], b"first", "the late one")


@behaviour
def clients_are_told_the_advertised_address(lab):
    with associate(lab, listener="nat") as association:
        expect_equal(association.relay[0], "192.0.2.1", "the address")
        association.relay = ("127.0.0.1", association.relay[1])
        echo = lab.echo(PEER)
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")


# Who gets an association

@behaviour
def who_may_send_nowhere_gets_none(lab):
    refused(lab, 2, "denied_no_rule", user="mallory")
    refused(lab, 2, "denied_no_rule", user="bob", level=1)
    with associate(lab, user="bob") as association:
        echo = lab.echo(PEER)
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")


@behaviour
def datagrams_in_clear_must_be_allowed(lab):
    refused(lab, 2, "udp_clear", level=0, listener="sealed")
    echo = lab.echo(PEER)
    with associate(lab, level=2, listener="sealed") as association:
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")


@behaviour
def an_announced_source_must_be_the_clients_own(lab):
    refused(lab, 2, "udp_source", announce=("127.0.0.9", 4000))
    refused(lab, 2, "udp_source", announce=("::1", 4000))
    echo = lab.echo(PEER)
    # A name would narrow nothing; it is not looked up.
    with associate(lab, announce=("me.example.com", 0)) as association:
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")
    expect(("me.example.com", 1) not in lab.names.asked, "a query for it")
    port = free_port()
    with associate(lab, announce=("127.0.0.1", port),
                   port=port) as association:
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")
    with associate(lab, announce=("0.0.0.0", port)) as association:
        name = association.client.name
        association.send(PEER, echo.port, b"from another port")
        association.nothing_comes()
    expect_equal(summary_of(lab, name)["detail"], "dropped: source 1",
                 "detail")


@behaviour
def inside_TLS_datagrams_have_their_own_protection(lab):
    echo = lab.echo(PEER)
    for level, protection in [(2, "confidentiality"), (0, "none")]:
        client = TlsClient(lab, PAPERS, level=level, listener="tls",
                           flags=DATAGRAM_FLAGS).ready()
        with Association(client) as association:
            name = client.name
            association.send(PEER, echo.port, b"x")
            expect_equal(association.receive()[2], b"x", "the echo")
        expect_equal(summary_of(lab, name)["protection"], protection,
                     f"protection at level {level}")
    client = TlsClient(lab, PAPERS, user="bob", level=0, listener="tls",
                       flags=DATAGRAM_FLAGS).ready()
    try:
        Association(client)
        raise AssertionError("TLS counted for datagrams")
    except Refused as refusal:
        expect_equal(refusal.args[0], 2, "reply")
    client.close()


# Who is heard

@behaviour
def only_the_clients_own_datagrams_are_taken(lab):
    """Also before it has sent its first, and in clear."""
    echo = lab.echo(PEER)
    for level, listener in LEVELS:
        before = len(echo.got)
        with associate(lab, level=level, listener=listener) as association:
            name = association.client.name
            with socket.socket(type=socket.SOCK_DGRAM) as stranger, \
                    socket.socket(type=socket.SOCK_DGRAM) as neighbour:
                stranger.bind(("127.0.0.66", 0))
                neighbour.bind(("127.0.0.1", 0))
                spoofed = datagram_octets(PEER, echo.port, b"spoofed")
                stranger.sendto(spoofed, association.relay)
                association.send(PEER, echo.port, b"mine")
                expect_equal(association.receive()[2], b"mine", "the echo")
                again = association.message(PEER, echo.port, b"stolen")
                for thief in [stranger, neighbour]:
                    thief.sendto(spoofed, association.relay)
                    thief.sendto(again, association.relay)
                association.put(again)
                expect_equal(association.receive()[2], b"stolen",
                             "taken from the client only")
                for thief in [stranger, neighbour]:
                    thief.settimeout(0.2)
                    try:
                        raise AssertionError(f"heard {thief.recv(100)!r}")
                    except socket.timeout:
                        pass
        expect_equal(echo.got[before:], [b"mine", b"stolen"],
                     "what the target got")
        expect(summary_of(lab, name)["detail"].startswith(
            "dropped: source 5;"), "what was dropped is counted")
        notices = lab.audit.find(client=name, event="udp-drops")
        expect_equal([n["detail"] for n in notices], ["dropped: source 1"],
                     "and noticed, once")


@behaviour
def only_who_was_sent_to_is_relayed(lab):
    echo = lab.echo(PEER)
    other_port, other = lab.echo(PEER), lab.echo("10.77.0.81")
    with associate(lab) as association:
        name = association.client.name
        association.send(PEER, echo.port, b"hello")
        association.receive()
        for stranger in [other_port, other]:
            stranger.sock.sendto(b"unasked", echo.sources[0])
        association.nothing_comes()
        echo.sock.sendto(b"asked", echo.sources[0])
        expect_equal(association.receive(5), (PEER, echo.port, b"asked"),
                     "who may")
    expect_equal(summary_of(lab, name)["detail"],
                 f"dropped: stranger 2; sent to: {PEER}:{echo.port}",
                 "detail")


@behaviour
def denied_destinations_get_nothing_and_one_record(lab):
    echo, forbidden = lab.echo(PEER), lab.echo(FORBIDDEN)
    with associate(lab) as association:
        name = association.client.name
        for _ in range(5):
            association.send(FORBIDDEN, forbidden.port, b"x")
        association.send("payroll.example.com", forbidden.port, b"x")
        association.send("169.254.169.254", 80, b"x")
        association.send("224.0.0.251", 5353, b"x")
        association.send("192.0.2.1", 53, b"x")
        association.send("nowhere.example.com", 53, b"x")
        association.send(PEER, echo.port, b"on")
        expect_equal(association.receive()[2], b"on", "the echo")
        lab.audit.wait_for(client=name, event="decision",
                           destination="nowhere.example.com:53")
    expect_equal(forbidden.got, [], "what came to the forbidden one")
    summary = summary_of(lab, name)
    denied = lab.audit.find(client=name, event="decision", outcome="fail")
    expect_equal(
        [(d["destination"], d["reason"], d.get("rule")) for d in denied],
        [(f"{FORBIDDEN}:{forbidden.port}", "denied_rule", "never"),
         (f"payroll.example.com:{forbidden.port}", "denied_rule", "never"),
         ("169.254.169.254:80", "denied_no_rule", None),
         ("224.0.0.251:5353", "denied_no_rule", None),
         ("192.0.2.1:53", "denied_no_rule", None),
         ("nowhere.example.com:53", "name_unknown", None)], "denials")
    expect(summary["detail"].startswith(
        "dropped: denied 9, nowhere 1; sent to: "), "the counts")


@behaviour(entries=RULES.replace("gwDestination: 127.0.0.1/32\n", ""),
           settings={"resolver": {"ttl_min": 0}})
def a_name_that_changes_its_address_leads_nowhere_else(lab):
    """Each resolution gives the other address; what is judged is what is
    sent to."""
    echo = lab.echo(PEER)
    traps = [lab.echo("127.0.0.1", echo.port), lab.echo(FORBIDDEN, echo.port)]
    turns = [[PEER], ["127.0.0.1"], [FORBIDDEN], [FORBIDDEN, PEER]]
    asked = []

    def answer(_, kind):
        if kind != 1:
            return []
        asked.append(kind)
        return turns[len(asked) % len(turns)]
    lab.names.table["turn.example.com"] = answer
    lab.names.ttl = 0
    names = []
    for _ in range(12):
        with associate(lab, user="carol") as association:
            names.append(association.client.name)
            association.send("turn.example.com", echo.port, b"x")
            association.send(PEER, echo.port, b"on")
            while association.receive()[2] != b"on":
                pass
            lab.audit.wait_for(client=names[-1], event="decision",
                               destination=f"turn.example.com:{echo.port}")
    expect(len(asked) >= 12, f"{len(asked)} queries")
    for trap in traps:
        expect_equal(trap.got, [], f"what came to {trap.address}")
    # About half of them; which, is the resolver's retries' to say.
    wait_until(lambda: b"x" in echo.got, "a datagram by that name")


# Cheats

@behaviour
def what_is_not_as_agreed_is_dropped_without_a_word(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name, client = association.client.name, association.client
        plain = datagram_octets(PEER, echo.port, b"cheat")
        good = association.message(PEER, echo.port, b"good")
        association.send(PEER, echo.port, b"begin")
        expect_equal(association.receive()[2], b"begin", "the echo")
        for octets in [
                b"", b"\x01", plain, good[:-1], good[:3], good + b"\0",
                frame(DATA, b""), frame(2, client.wrap(plain, True)),
                frame(DATA, client.wrap(plain, True), version=5),
                good[:2] + struct.pack(">H", len(good) - 5) + good[4:],
                good[:2] + struct.pack(">H", len(good) - 3) + good[4:],
                # Sealed well, but nothing that a header is.
                client.sealed(b""), client.sealed(b"\0\0\0\x01\x0a\x4d"),
                client.sealed(datagram_octets(PEER, echo.port, b"x",
                                              reserved=1)),
                client.sealed(b"\0\0\0\x02" + plain[4:])]:
            association.put(octets)
        # Integrity alone at level 2; changed; twice.
        association.put(frame(DATA, client.wrap(plain, False)))
        changed = bytearray(good)
        changed[40] ^= 1
        association.put(bytes(changed))
        association.nothing_comes()
        association.put(good)
        expect_equal(association.receive(5)[2], b"good", "the echo")
        association.put(good)
        association.nothing_comes()
        association.send(PEER, echo.port, b"end")
        expect_equal(association.receive(5)[2], b"end", "the echo")
    expect_equal(echo.got, [b"begin", b"good", b"end"], "what was relayed")
    expect_equal(summary_of(lab, name)["detail"].split(";")[0],
                 "dropped: malformed 15, seal 2, replay 1", "the counts")


@behaviour
def replays_are_known_for_long(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        old = []
        for i in range(2100):
            old.append(association.message(PEER, echo.port, b"%d" % i))
            association.put(old[-1])
            expect_equal(association.receive()[2], b"%d" % i, "the echo")
        for back in [1, 2, 90, 1000, 2000, 2100]:
            association.put(old[-back])
        association.nothing_comes()
    expect_equal(len(echo.got), 2100, "datagrams at the target")
    expect_equal(summary_of(lab, name)["detail"].split(";")[0],
                 "dropped: replay 6", "the counts")


@behaviour
def fragments_are_dropped(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        association.send(PEER, echo.port, b"a", frag=1)
        association.send(PEER, echo.port, b"b", frag=0x82)
        association.nothing_comes()
    expect_equal(summary_of(lab, name)["detail"], "dropped: fragment 2",
                 "detail")


@behaviour(entries=RULES, settings={"udp": {"reassembly": True}})
def fragments_are_put_together_where_that_is_set(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        for frag, part in [(1, b"one "), (2, b"two "), (0x83, b"three")]:
            association.send(PEER, echo.port, part, frag=frag)
        expect_equal(association.receive()[2], b"one two three", "the echo")


def flood(associations, echo):
    """Half as much again as a rate of 262144 gives at once, by each."""
    for _ in range(10):
        for association in associations:
            association.send(PEER, echo.port, bytes(10000))


@behaviour(entries=RULES, settings={
    "udp": {"identity_rate_max": 262144}})
def all_associations_of_one_identity_share_its_rate(lab):
    echo, names = lab.echo(PEER), []
    many = [associate(lab) for _ in range(4)]
    bob = associate(lab, user="bob")
    began = time.time()
    flood(many, echo)
    # It is used up; not by her leaving and coming again, nor bob's.
    for association in many:
        names.append(association.client.name)
        association.close()
    for _ in range(4):
        with associate(lab) as association:
            names.append(association.client.name)
            flood([association], echo)
    bob.send(PEER, echo.port, b"bob")
    expect_equal(bob.receive()[2], b"bob", "bob's echo")
    bob.close()
    passed = time.time() - began
    summaries = [summary_of(lab, name) for name in names]
    moved = sum(int(summary["bytes_to_target"]) +
                int(summary["bytes_to_client"]) for summary in summaries)
    most = 262144 / 4 + 262144 * passed
    expect(10000 <= moved <= most,
           f"{moved} octets, at most {most:.0f} in {passed:.2f} s")
    expect(any("rate " in summary["detail"] for summary in summaries),
           "none was dropped")


@behaviour(entries=RULES + rule(
    "dry", "deny", gwOrder=2, gwReportOnly="TRUE", gwCommand="udp",
    gwDestination=f"{PEER}/32"))
def a_dry_run_is_on_record_of_each_destination(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        association.send(PEER, echo.port, b"x")
        association.receive()
    record = lab.audit.wait_for(client=name, event="decision",
                                destination=f"{PEER}:{echo.port}")
    expect_equal((record["rule"], record["report"], record["report_action"]),
                 ("datagrams", "dry", "deny"), "decision")


# Its end

@behaviour(entries=RULES, settings={
    "udp": {"port_min": 24100, "port_max": 24100}})
def it_ends_with_its_connection_and_frees_its_port(lab):
    echo = lab.echo(PEER)
    for end in [lambda c: c.sock.shutdown(socket.SHUT_WR),
                lambda c: c.close(), lambda c: c.reset()]:
        association = associate(lab)
        name = association.client.name
        expect_equal(association.relay, ("127.0.0.1", 24100), "the relay")
        association.send(PEER, echo.port, b"x")
        association.receive()
        refused(lab, 1, "no_ports", user="carol")
        end(association.client)
        lab.audit.wait_for(client=name, event="close")
        before = len(echo.got)
        association.send(PEER, echo.port, b"late")
        association.nothing_comes()
        expect_equal(len(echo.got), before, "datagrams after the end")
        association.close()


@behaviour
def what_is_said_on_its_connection_is_not_looked_at(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        association.client.send(b"\x05\x01\x00" * 1000)
        association.send(PEER, echo.port, b"x")
        expect_equal(association.receive()[2], b"x", "the echo")
        try:
            association.client.send(b"x" * 100000)
            association.client.read_to_end()
        except Closed:
            pass
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 "udp_control", "reason")


@behaviour(entries=RULES, settings={"udp": {"idle_timeout": 1}})
def it_ends_when_nothing_goes_through(lab):
    echo = lab.echo(PEER)
    with associate(lab) as association:
        name = association.client.name
        association.send(PEER, echo.port, b"x")
        association.receive()
        expect_equal(association.client.get_to_end(), b"", "behind it")
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal((record["reason"], record["outcome"]),
                 ("idle_timeout", "ok"), "end")


@behaviour(entries=RULES, settings={"session": {"lifetime": 2}})
def it_ends_with_its_lifetime(lab):
    with associate(lab) as association:
        name = association.client.name
        expect_equal(association.client.get_to_end(), b"", "behind it")
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 "lifetime", "reason")


@behaviour(entries=RULES, clockskew=3)
def it_ends_with_its_ticket(lab):
    lab.kinit("alice", "-l", "12s", called="brief")
    ends = time.time() + 12
    echo = lab.echo(PEER)
    with associate(lab, user="brief", timeout=40) as association:
        name = association.client.name
        while time.time() < ends - 2:
            association.send(PEER, echo.port, b"tick")
            expect_equal(association.receive()[2], b"tick", "the echo")
            time.sleep(0.5)
        association.client.get_to_end()
        late = time.time() - ends
        association.send(PEER, echo.port, b"late")
        association.nothing_comes()
    expect(-2 <= late <= 2, f"ended {late:.1f} s after its ticket")
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 "ctx_expired", "reason")
    expect(b"late" not in echo.got, "a datagram went through after it")


@behaviour(entries=RULES)
def new_rules_hold_for_datagrams_under_way(lab):
    echo, other = lab.echo(PEER), lab.echo("10.77.0.81")
    with associate(lab) as association:
        name = association.client.name
        for target in [echo, other]:
            association.send(target.address, target.port, b"x")
            association.receive()
        lab.slapd.modify(rule("no-longer", "deny", gwOrder=1,
                              gwCommand="udp", gwDestination=f"{PEER}/32"))

        def is_denied():
            association.send(PEER, echo.port, b"probe")
            return lab.audit.find(client=name, rule="no-longer")
        wait_until(is_denied, "the new rules", 20)
        # Either way.
        echo.sock.sendto(b"late", echo.sources[0])
        try:
            while association.receive(0.5)[2] != b"late":
                pass
            raise AssertionError("the denied one was heard")
        except socket.timeout:
            pass
        before = len(echo.got)
        association.send(PEER, echo.port, b"late")
        association.send(other.address, other.port, b"still")
        expect_equal(association.receive(5)[2], b"still", "the other")
        expect_equal(len(echo.got), before, "datagrams to the denied one")
    summary_of(lab, name)
    denied = lab.audit.find(client=name, event="decision", outcome="fail")
    expect_equal([d["rule"] for d in denied], ["no-longer"], "denials")


@behaviour(entries=RULES)
def the_end_of_the_gateway_is_its_end(lab):
    association = associate(lab)
    name = association.client.name
    time.sleep(0.1)
    lab.gateway.stop()
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal(record["reason"], "shutdown", "reason")
    association.close()
