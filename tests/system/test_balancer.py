# SPDX-License-Identifier: ISC
"""Behind a load balancer: HAProxy itself, and headers of our own."""

import socket
import struct
import subprocess

from tests.lab.lab import ROOT
from tests.lab.process import Program, accepts, free_port, wait_until
from tests.lab.socks import Client
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.tls import Inside, Papers, client_context

BALANCER = "127.0.0.9"
PAPERS = Papers()
LAB = {"settings": {
    "gateway": {"statistics_interval": 1},
    "session": {"handshake_timeout": 5},
    "listener balanced": {"proxy_from": [f"{BALANCER}/32"]},
    "listener sealed": {"proxy_from": [f"{BALANCER}/32"],
                        "tls_certificate": PAPERS.first[0],
                        "tls_key": PAPERS.first[1]},
}}

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

HAPROXY = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen one
    bind 127.0.0.8:{one}
    source {balancer}
    server gateway {gateway} send-proxy check inter 100
listen two
    bind 127.0.0.8:{two}
    source {balancer}
    server gateway {gateway} send-proxy-v2 proxy-v2-options crc32c \
check check-send-proxy inter 100
listen six
    bind [::1]:{six}
    source {balancer}
    server gateway {gateway} send-proxy-v2
"""


class Through:
    """The lab, entered through a balancer's address."""

    def __init__(self, lab, address):
        self.listeners = {"main": address}
        self.audit, self.service = lab.audit, lab.service
        self.tickets = lab.tickets


class Balancer:
    """A running HAProxy in front of the listener `balanced`."""

    def __init__(self, lab):
        self.ports = {"one": free_port("127.0.0.8"),
                      "two": free_port("127.0.0.8"),
                      "six": free_port("::1")}
        path = f"{lab.directory}/haproxy.cfg"
        with open(path, "w") as out:
            out.write(HAPROXY.format(
                balancer=BALANCER, **self.ports,
                gateway="{}:{}".format(*lab.listeners["balanced"])))
        self.program = Program("haproxy", ["/usr/sbin/haproxy", "-db", "-f",
                                           path], f"{lab.directory}/haproxy")
        self.program.ready_when(
            lambda: accepts("::1", self.ports["six"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def from_balancer(lab, listener="balanced"):
    sock = socket.socket()
    sock.settimeout(10)
    sock.bind((BALANCER, 0))
    sock.connect(lab.listeners[listener])
    return sock


def answer(sock):
    """What comes up to the end."""
    octets = b""
    try:
        while more := sock.recv(4096):
            octets += more
    except ConnectionResetError:
        pass
    return octets


def counted(lab, name):
    return lab.gateway.statistics().get(name, 0)


@behaviour
def records_name_the_client_and_not_haproxy(lab):
    spot = lab.target(echo)
    with Balancer(lab) as balancer:
        for name, host in [("one", "127.0.0.8"), ("two", "127.0.0.8"),
                           ("six", "::1")]:
            place = Through(lab, (host, balancer.ports[name]))
            with Client(place) as client:
                own = client.name
                client.connect(spot.address, spot.port)
                client.put(b"hello")
                expect_equal(client.get(5), b"hello", "the echo")
            record = lab.audit.wait_for(client=own, event="close")
            expect(record["via"].startswith(f"{BALANCER}:"),
                   f"via {record['via']}")


@behaviour
def health_checks_of_haproxy_are_counted_and_not_recorded(lab):
    before = counted(lab, "health_checks")
    known = len(lab.audit.records())
    with Balancer(lab):
        wait_until(lambda: counted(lab, "health_checks") > before + 10,
                   "health checks are counted", 20)
    for record in lab.audit.records()[known:]:
        expect(not record.get("client", "").startswith(BALANCER),
               f"a record of a health check: {record}")
    expect(f" {BALANCER}:" not in lab.gateway.log_text(),
           "no line of the log is about a health check")


@behaviour
def the_header_may_come_in_pieces_and_with_the_greeting(lab):
    binary = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton("192.0.2.7") + \
        socket.inet_aton("127.0.0.1") + struct.pack(">HH", 4711, 1080)
    line = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n"
    for header in [binary, line, b"PROXY UNKNOWN\r\n",
                   SIGNATURE + b"\x20\0\0\0"]:
        octets = header + b"\x05\x01\x01"
        for cut in [0, 1, 11, 15, len(header) - 1, len(header)]:
            with from_balancer(lab) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(octets[:cut])
                sock.sendall(octets[cut:])
                expect_equal(sock.recv(2), b"\x05\x01", "the method")


class Ahead:
    """A socket that sends a header in one piece with what comes first."""

    def __init__(self, sock, header):
        self._sock, self._header = sock, header

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def send(self, octets):
        header, self._header = self._header, b""
        return self._sock.send(header + octets) - len(header)


@behaviour
def tls_begins_behind_the_header(lab):
    line = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n"
    with from_balancer(lab, "sealed") as sock:
        via = "{}:{}".format(*sock.getsockname())
        inside = Inside(Ahead(sock, line), client_context(PAPERS))
        inside.sendall(b"\x05\x01\x01")
        expect_equal(inside.recv(2), b"\x05\x01", "the method")
    record = lab.audit.wait_for(via=via, event="close")
    expect_equal(record["client"], "192.0.2.7:4711", "the client")
    expect(record["tls"].startswith("TLS"), "TLS is on record")


@behaviour
def a_listener_may_go_while_a_header_is_due(lab):
    gateways = lab.gateway.pids("gateway")
    removed = lab.gateway.settings["listener sealed"]
    before = counted(lab, "accepted")
    with from_balancer(lab, "sealed") as sock:
        wait_until(lambda: counted(lab, "accepted") > before, "it is accepted")
        try:
            del lab.gateway.settings["listener sealed"]
            lab.gateway.write_settings()
            expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
            inside = Inside(Ahead(sock, SIGNATURE + b"\x20\0\0\0"),
                            client_context(PAPERS))
            inside.sendall(b"\x05\x01\x01")
            expect_equal(inside.recv(2), b"\x05\x01", "the method")
        finally:
            lab.gateway.settings["listener sealed"] = removed
            lab.gateway.write_settings()
            expect_equal(lab.gateway.reload()["outcome"], "ok", "another one")
    expect_equal(lab.gateway.pids("gateway"), gateways, "the gateways")


@behaviour
def a_balancer_without_a_header_gets_no_reply(lab):
    for octets in [b"\x05\x01\x01", b"GET / HTTP/1.0\r\n\r\n",
                   b"PROXY TCP4 nowhere 127.0.0.1 1 2\r\n",
                   SIGNATURE + b"\x21\x11\0\0", b"PROXY " + b"x" * 200]:
        with from_balancer(lab) as sock:
            name = "{}:{}".format(*sock.getsockname())
            sock.sendall(octets)
            expect_equal(answer(sock), b"", f"the answer to {octets}")
        lab.audit.wait_for(client=name, event="close",
                           reason="bad_proxy_header")


@behaviour
def nobody_else_may_name_another_client(lab):
    line = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n"
    for listener in ["balanced", "main"]:
        for header in [line, SIGNATURE + b"\x20\0\0\0"]:
            with Client(lab, listener=listener) as client:
                name = client.name
                client.send(header + b"\x05\x01\x01")
                expect_equal(client.read_to_end(), b"", "the answer")
            lab.audit.wait_for(client=name, event="close",
                               reason="bad_version")


@behaviour
def haproxy_takes_the_example_s_settings(lab):
    """tests/long/scale_out runs them."""
    done = subprocess.run(
        ["/usr/sbin/haproxy", "-c", "-f",
         f"{ROOT}/examples/scale-out/haproxy.cfg"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expect_equal(done.returncode, 0, f"haproxy -c: {done.stdout}")
    expect("warning" not in done.stdout.lower(), done.stdout)
