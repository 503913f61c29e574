# SPDX-License-Identifier: ISC
"""Too many, too slow, of another kind, in a circle: nobody else is hurt."""

import copy
import random
import resource
import socket
import ssl
import time

from tests.lab.gateway import Gateway
from tests.lab.process import free_port, wait_until
from tests.lab.rsyslog import Syslog
from tests.lab.slapd import rule
from tests.lab.socks import (Aborted, Client, Closed, LEVEL, Refused, TOKEN,
                             frame, request_octets)
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.tls import Papers, client_context

ALONE = True
NEEDS_ROOT = True

DEADLINE = 2
PAPERS = Papers()
LAB = {"settings": {
    "gateway": {"statistics_interval": 1},
    "session": {"handshake_timeout": DEADLINE},
    "listener balanced": {"proxy_from": ["127.0.0.9/32"]},
    "listener sealed": {"tls_certificate": PAPERS.first[0],
                        "tls_key": PAPERS.first[1]},
}}


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def is_served(client, spot):
    client.connect(spot.address, spot.port)
    client.put(b"hello")
    expect_equal(client.get(5), b"hello", "the echo")


def works(lab, spot, seconds=1.0, **options):
    """A new session works within so many seconds."""
    start = time.monotonic()
    while True:
        try:
            with Client(lab, timeout=5, **options) as client:
                is_served(client, spot)
            return time.monotonic() - start
        except (Closed, Aborted, Refused, OSError):
            if time.monotonic() - start > seconds:
                raise
            time.sleep(0.02)


def close_all(things):
    for thing in things:
        thing.close()


# Budgets

def turned_away(lab, reason, **options):
    with Client(lab, **options) as late:
        name = late.name
        expect_equal(late.read_to_end(), b"", "the answer")
    lab.audit.wait_for(client=name, event="close", reason=reason)


@behaviour(settings={"limits": {"source_unproved_max": 5, "source_max": 8}})
def a_source_that_takes_too_much_shuts_out_only_itself(lab):
    spot = lab.target(echo)
    with Client(lab) as early:
        is_served(early, spot)
        strangers = [Client(lab) for _ in range(5)]
        turned_away(lab, "too_many_from_source")
        with Client(lab, source="127.0.0.2") as other:
            is_served(other, spot)
        early.put(b"still")
        expect_equal(early.get(5), b"still", "the early session")
        close_all(strangers)
        # Proved ones count, too.
        wait_until(lambda: works(lab, spot) < 60, "served again")
        served = [Client(lab) for _ in range(5)]
        for client in served:
            is_served(client, spot)
        more = [Client(lab) for _ in range(2)]
        for client in more:
            is_served(client, spot)
        turned_away(lab, "too_many_from_source")
        close_all(served + more)


@behaviour(settings={"limits": {"unproved_max": 6}})
def strangers_from_everywhere_shut_out_no_session(lab):
    spot = lab.target(echo)
    with Client(lab) as early:
        is_served(early, spot)
        strangers = [Client(lab, source=f"127.0.1.{n + 1}")
                     for n in range(6)]
        turned_away(lab, "too_many_unproved")
        early.put(b"still")
        expect_equal(early.get(5), b"still", "the early session")
        close_all(strangers)
    works(lab, spot, 2)


@behaviour(settings={"limits": {"identity_max": 3}})
def an_identity_that_takes_too_much_is_told(lab):
    spot = lab.target(echo)
    served = [Client(lab, level=level) for level in (1, 2, 3)]
    for client in served:
        is_served(client, spot)
    with Client(lab) as late:
        name = late.name
        late.ready()
        try:
            late.ask(spot.address, spot.port)
            raise AssertionError("was served")
        except Refused as refusal:
            expect_equal(refusal.args[0], 1, "the reply")
    record = lab.audit.wait_for(client=name, event="decision")
    expect_equal(record["reason"], "too_many_of_identity", "the reason")
    with Client(lab, user="carol") as other:
        is_served(other, spot)
    for client in served:
        client.put(b"still")
        expect_equal(client.get(5), b"still", "the early sessions")
    served.pop().close()
    works(lab, spot)
    close_all(served)


# Too slow

def from_balancer(lab):
    sock = socket.socket()
    sock.bind(("127.0.0.9", 0))
    sock.connect(lab.listeners["balanced"])
    return sock, b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n"


def in_tls_hello(lab):
    answers, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(PAPERS).wrap_bio(
        answers, hello, server_hostname="gw.example.com")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return socket.create_connection(lab.listeners["sealed"]), hello.read()


def at_greeting(lab):
    client = Client(lab)
    return client.sock, bytes([5, 255]) + b"\1" * 255


def at_token(lab):
    client = Client(lab)
    client.greet()
    return client.sock, frame(TOKEN, client.initiate())


def at_level(lab):
    client = Client(lab)
    client.greet()
    client.authenticate()
    return client.sock, frame(LEVEL, b"\x60" * 100)


def at_request(lab):
    client = Client(lab)
    client.ready()
    return client.sock, client.sealed(request_octets(b"x" * 200, 80))


STAGES = [from_balancer, in_tls_hello, at_greeting, at_token, at_level, at_request]


@behaviour
def a_trickle_of_octets_is_cut_at_the_deadline_at_every_stage(lab):
    ends, began = {}, {}
    for stage in STAGES:
        for silent in (False, True):
            before = time.monotonic()
            sock, octets = stage(lab)
            began[stage, silent] = before
            ends[stage, silent] = [sock, b"" if silent else octets]
    cut = {}
    while len(cut) < len(ends):
        for key, (sock, octets) in ends.items():
            if key in cut:
                continue
            sock.setblocking(False)
            try:
                if octets:
                    sock.send(octets[:1])
                    ends[key][1] = octets[1:]
                if sock.recv(4096) == b"":
                    cut[key] = time.monotonic() - began[key]
            except BlockingIOError:
                pass
            except OSError:
                cut[key] = time.monotonic() - began[key]
            name = f"{key[0].__name__}, {'silent' if key[1] else 'slow'}"
            expect(time.monotonic() - began[key] < DEADLINE + 5,
                   f"{name}: still open")
        time.sleep(0.1)
    for (stage, silent), after in cut.items():
        expect(after > DEADLINE - 0.2, f"{stage.__name__}: after {after} s")
    for sock, _ in ends.values():
        sock.close()
    wait_until(lambda: lab.gateway.statistics().get(
        "ended:handshake_timeout", 0) >= len(ends), "they are counted")


# Of another kind

FOREIGN = {
    "SOCKS4": b"\x04\x01\x00\x50\xc0\x00\x02\x01user\0",
    "TLS": bytes.fromhex("16030100c8010000c403035a"),
    "HTTP": b"GET http://www.example.com/ HTTP/1.1\r\n\r\n",
    "CONNECT": b"CONNECT www.example.com:443 HTTP/1.1\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "PROXY": b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n",
    "SMB": b"\x00\x00\x00\x85\xffSMBr\0\0\0",
    "RDP": b"\x03\x00\x00\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\x03\0\0\0",
}


@behaviour
def other_protocols_end_at_once_without_a_reply_and_are_counted(lab):
    before = lab.gateway.statistics().get("ended:bad_version", 0)
    garbage = {f"garbage {n}": bytes([n]) + random.randbytes(600)
               for n in (0, 6, 0x80, 0xff)}
    for name, octets in {**FOREIGN, **garbage}.items():
        with Client(lab) as client:
            own = client.name
            start = time.monotonic()
            client.send(octets)
            expect_equal(client.read_to_end(), b"", f"the answer to {name}")
            expect(time.monotonic() - start < 1, f"{name} ended at once")
        lab.audit.wait_for(client=own, event="close", reason="bad_version")
    count = len(FOREIGN) + len(garbage)
    wait_until(lambda: lab.gateway.statistics().get(
        "ended:bad_version", 0) >= before + count, "they are counted")


# In a circle

OWN = ["127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::ffff:127.0.0.1",
       "10.99.0.1", "fd99::1"]


@behaviour(settings={"gateway": {"own_addresses": ["10.77.0.200"]}},
           entries=rule("everything", gwDestination=[
               "127.0.0.0/8", "0.0.0.0/8", "::/128", "::1/128",
               "10.99.0.1/32", "fd99::1/128", "10.77.0.200/32", "10.0.0.0/8",
               "*.example.com"]))
def no_rule_leads_back_to_a_listener(lab):
    port = lab.listeners["main"][1]
    for host in [*OWN, "10.77.0.200"]:
        with Client(lab) as client:
            name = client.name
            client.ready()
            try:
                client.ask(host, port)
                raise AssertionError(f"{host} was reached")
            except Refused as refusal:
                expect_equal(refusal.args[0], 2, f"the reply for {host}")
        lab.audit.wait_for(client=name, event="decision", reason="loop")


class Nested(Client):
    """Goes on over a connection that leads through a gateway in clear."""

    def __init__(self, lab, sock):
        self.lab, self.level, self.service = lab, 0, lab.service
        self.flags, self.mech = Client.__init__.__defaults__[2], \
            Client.__init__.__defaults__[4]
        self.user, self.context, self.granted = "alice", None, None
        self.plain, self.bound, self.sock = bytearray(), None, sock


def second_gateway(lab, listener):
    """Another gateway of the same realm and rules, with its own records."""
    at = f"{lab.directory}/second"
    syslog = Syslog(f"{lab.directory}/syslog2")
    syslog.start()
    settings = copy.deepcopy(lab.gateway.settings)
    settings["gateway"]["state_dir"] = f"{at}/state"
    settings["control"]["socket"] = f"{at}/run/control"
    settings["audit"]["target"] = syslog.target_unix
    settings["listener main"]["address"] = listener
    gateway = Gateway(at, lab.gateway.programs, settings, syslog.audit,
                      env={"KRB5_CONFIG": lab.realm.config})
    return gateway, syslog


CAP = 6
FIRST, SECOND = "10.77.0.101", "10.77.0.102"


@behaviour(settings={
    "limits": {"identity_max": CAP},
    "listener main": {"address": f"{FIRST}:{free_port()}",
                      "protection_minimum": "none",
                      "protection_maximum": "none"}})
def two_gateways_pointed_at_each_other_die_out_at_the_cap(lab):
    other = f"{SECOND}:{free_port()}"
    gateway, syslog = second_gateway(lab, other)
    gateway.start()
    syslog.audit.wait_for(event="reload", outcome="ok")
    try:
        ring = [lab.listeners["main"],
                (SECOND, int(other.rpartition(":")[2]))]
        client = Client(lab, level=0)
        sock, hops = client.sock, 0
        try:
            while hops < 4 * CAP:
                client.ready()
                hops += 1
                client.ask(*ring[hops % 2])
                client = Nested(lab, sock)
            raise AssertionError("it goes round without end")
        except Refused as refusal:
            expect_equal(refusal.args[0], 1, "the reply")
        # Each gateway holds as many as one identity may, and no more.
        expect_equal(hops, 2 * CAP + 1, "hops")
        lab.audit.wait_for(event="decision", reason="too_many_of_identity")
        sock.close()
        spot = lab.target(echo)
        works(lab, spot, 5, level=0)
    finally:
        gateway.stop()
        syslog.stop()


# No descriptors

def limit_descriptors(lab, count):
    for pid in lab.gateway.pids("gateway"):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, count))


def crowd(lab, count):
    """Connections that say nothing, as far as the backlog goes."""
    made = []
    for _ in range(count):
        sock = socket.socket()
        sock.settimeout(5)
        sock.connect(lab.listeners["main"])
        made.append(sock)
    return made


def descriptors_at_rest(lab):
    """When no session comes or goes any more."""
    seen = [-1, -2, -3]
    while len(set(seen)) > 1:
        time.sleep(0.2)
        seen = [*seen[1:], lab.gateway.descriptors()]
    return seen[0]


# As our own user, whose limit we may lower while it runs.
@behaviour(settings={"session": {"handshake_timeout": 60},
                     "gateway": {"statistics_interval": 1},
                     "users": {"gateway": "0"}})
def without_descriptors_it_neither_spins_nor_loses_any(lab):
    spot = lab.target(echo)
    works(lab, spot)
    before = descriptors_at_rest(lab)
    with Client(lab) as early:
        is_served(early, spot)
        limit_descriptors(lab, 128)
        made = crowd(lab, 400)
        cpu, start = lab.gateway.seconds_of_cpu(), time.monotonic()
        time.sleep(1.5)
        share = (lab.gateway.seconds_of_cpu() - cpu) / \
            (time.monotonic() - start)
        expect(share < 0.5, f"{share:.0%} of a core while it is full")
        early.put(b"still")
        expect_equal(early.get(5), b"still", "the early session")
        wait_until(lambda: lab.gateway.statistics().get("turned_away", 0),
                   "some are turned away")
        complaints = lab.gateway.log_text().count("cannot accept")
        expect(1 <= complaints < 15, f"{complaints} complaints")
        close_all(made)
        works(lab, spot, 3)
    expect_equal(descriptors_at_rest(lab), before, "descriptors in the end")


@behaviour(settings={"gateway": {"statistics_interval": 1}}, start=False)
def a_low_limit_of_descriptors_leaves_some_for_the_house(lab):
    lab.gateway.wrapper = ["/usr/bin/prlimit", "--nofile=128:128"]
    lab.start()
    spot = lab.target(echo)
    made = crowd(lab, 300)
    wait_until(lambda: lab.gateway.statistics().get("ended:overloaded", 0),
               "newcomers are turned away")
    # Nobody has taken what a link needs: a helper that dies is linked anew.
    lab.gateway.kill("authenticator")
    close_all(made)
    works(lab, spot, 5)
    expect_equal(lab.gateway.statistics().get("accept_pauses", 0), 0, "pauses")
