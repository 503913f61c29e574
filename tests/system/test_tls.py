# SPDX-License-Identifier: ISC
"""A listener inside TLS: who may speak it, and what goes through it."""

import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time

from tests.lab import socks
from tests.lab.gateway import Raw, print_settings
from tests.lab.passwords import message
from tests.lab.process import wait_until
from tests.lab.slapd import rule
from tests.lab.socks import (DATAGRAM_FLAGS, Association, Client, Closed,
                             Transfer, assert_same, run_transfers)
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.tls import Inside, Papers, TlsClient, client_context

NEEDS_ROOT = True

PAPERS = Papers()
# What a reload finds at the same paths.
INSTALLED = tempfile.mkdtemp(prefix="installed.", dir=PAPERS.directory)
PAPERS.install(PAPERS.first, INSTALLED)

GATEWAY = {"tls_certificate": f"{INSTALLED}/gw.pem",
           "tls_key": f"{INSTALLED}/gw.key"}
LAB = {"settings": {
    "listener tls": GATEWAY,
    "listener clear": {**GATEWAY, "protection_minimum": "none"},
    "listener mutual": {**GATEWAY, "tls_client_ca": PAPERS.ca},
    "listener new": {**GATEWAY, "tls_minimum": "1.3"},
    "listener passwords": {**GATEWAY, "methods": ["gssapi", "password"],
                           "address": "10.77.0.90:1443"},
    "listener bare": {"methods": ["gssapi", "password"],
                      "address": "10.77.0.90:1080"},
    "listener balanced": {**GATEWAY, "proxy_from": ["127.0.0.1/32"]},
    "session": {"handshake_timeout": 5},
}}

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}
MEGABYTE = 1 << 20
PAYLOAD = 20 * MEGABYTE


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def opened(lab, level=2, listener="tls", **options):
    """A client at its target, and the target's end of the connection."""
    acceptor = lab.acceptor(lab.place.plain)
    client = TlsClient(lab, PAPERS, level=level, listener=listener, **options)
    client.connect(lab.place.plain, acceptor.port)
    return client, acceptor.accept()


def raw(lab, listener="tls"):
    sock = socket.create_connection(lab.listeners[listener], timeout=20)
    address, port = sock.getsockname()[:2]
    return sock, f"{address}:{port}"


@behaviour
def twenty_megabytes_both_ways_at_each_level_and_version(lab):
    for version, number in VERSIONS.items():
        for level, listener in [(0, "clear"), (1, "tls"), (2, "tls")]:
            client, served = opened(lab, level, listener, version=number)
            name = client.name
            ours = Transfer(client.sock, PAYLOAD, f"{version}{level}", client)
            theirs = Transfer(served, PAYLOAD + 7, f"{version}{level}target")
            run_transfers([ours, theirs])
            assert_same(ours, theirs)
            client.close()
            served.close()
            record = lab.audit.wait_for(client=name, event="close",
                                        reason="ok")
            expect_equal(record["bytes_to_target"], str(PAYLOAD), "up")
            expect_equal(record["bytes_to_client"], str(PAYLOAD + 7), "down")
            expect_equal(record["tls"], version, "the version on record")
            expect_equal(record["protection"], "confidentiality",
                         "the protection on record")


@behaviour
def tls_satisfies_a_rule_that_demands_confidentiality(lab):
    # bob is a contractor: only what is sealed well.
    spot = lab.target(echo)
    with Client(lab, user="bob", level=1) as client:
        client.ready()
        try:
            client.ask(spot.address, spot.port)
            raise AssertionError("integrity was enough")
        except socks.Refused as refused:
            expect_equal(refused.args[0], 2, "the reply")
    with TlsClient(lab, PAPERS, user="bob", level=0,
                   listener="clear") as client:
        client.connect(spot.address, spot.port)
        client.put(b"hello")
        expect_equal(client.get(5), b"hello", "the echo")


@behaviour
def everything_at_once_is_served(lab):
    """Level, request and data in one record, behind which the client ends."""
    spot = lab.target(lambda connection: spot._remember(connection))
    with TlsClient(lab, PAPERS) as client:
        client.greet()
        client.authenticate()
        client.granted = 2
        client.send(client.level_message() +
                    client.sealed(socks.request_octets(
                        spot.address, spot.port) + b"first ") +
                    client.sealed(b"second" * 5000))
        client.sock.shutdown(socket.SHUT_WR)
        client.read_granted()
        client.read_reply()
        wait_until(lambda: len(spot.octets) == 6 + 30000, "all has arrived")
        expect_equal(client.get_to_end(), b"", "from the target")


@behaviour
def an_octet_at_a_time_is_served(lab):
    """Of the ciphertext too."""
    spot = lab.target(echo)
    sock, _ = raw(lab, "tls")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    send = sock.send

    class Slow:
        def __getattr__(self, name):
            return getattr(sock, name)

        def send(self, data):
            return send(data[:1])

    with TlsClient(lab, PAPERS) as client:
        client.sock.close()
        client.sock = Inside(Slow(), client_context(PAPERS))
        client.connect(spot.address, spot.port)
        client.put(b"drop by drop")
        expect_equal(client.get(12), b"drop by drop", "the echo")


def log_in(client, name, password):
    expect_equal(client.greet((socks.PASSWORD,)), socks.PASSWORD, "method")
    client.send(bytes([1, len(name), *name, len(password), *password]))
    version, status = client.read(2)
    expect_equal((version, status), (1, 0), "the login")
    client.granted = 0


def memory_holds(pid, secret):
    """Is it anywhere in the memory of a process?"""
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            # A sanitizer's shadow is larger than memory, and no memory.
            if "rw" not in line.split()[1] or end - start > 1 << 30:
                continue
            try:
                memory.seek(start)
                if secret in memory.read(end - start):
                    return line.strip()
            except OSError:
                pass
    return None


@behaviour
def passwords_go_inside_tls_and_leave_no_trace(lab):
    password = b"only-ever-inside-tls"
    lab.realm.kadmin(f"addprinc -pw {password.decode()} dora")
    with Client(lab, listener="bare") as client:
        expect_equal(client.greet((socks.PASSWORD,)), 0xff,
                     "the method outside")
    for version in VERSIONS.values():
        with TlsClient(lab, PAPERS, listener="passwords",
                       version=version) as client:
            name = client.name
            log_in(client, b"dora", password)
            record = lab.audit.wait_for(client=name, event="auth")
            expect_equal(record["method"], "password", "the method")
            expect_equal(record["protection"], "confidentiality",
                         "the protection")
            for pid in lab.gateway.pids("gateway"):
                expect_equal(memory_holds(pid, password), None,
                             "the password in the gateway's memory")
            # What should be there is found.
            expect(any(memory_holds(pid, b"dora@pam")
                       for pid in lab.gateway.pids("gateway")),
                   "the identity in the gateway's memory")
    expect(password.decode() not in lab.gateway.log_text(), "not in the log")


@behaviour
def the_header_of_a_balancer_comes_before_tls(lab):
    header = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 1080\r\n"
    spot = lab.target(echo)
    with TlsClient(lab, PAPERS, listener="balanced",
                   header=header) as client:
        client.connect(spot.address, spot.port)
        client.put(b"hello")
        expect_equal(client.get(5), b"hello", "the echo")
    record = lab.audit.wait_for(client="192.0.2.7:4711", event="auth")
    expect_equal(record["tls"], "TLSv1.3", "the version on record")


PEER = "10.77.0.80"
COMMANDS = {
    "entries": (
        rule("streams", gwDestination=f"{PEER}/32") +
        rule("calls", gwCommand="bind", gwDestination=f"{PEER}/32",
             gwProtection="confidentiality") +
        rule("datagrams", gwCommand="udp", gwDestination=f"{PEER}/32",
             gwProtection="integrity")),
    "settings": {
        "bind": {"address": ["10.99.0.1"], "require_connect": False},
        "listener tls": {**GATEWAY, "protection_minimum": "none",
                         "allow_clear_udp": True},
    }}


@behaviour(**COMMANDS)
def a_call_comes_back_inside_tls(lab):
    for level in [0, 2]:
        with TlsClient(lab, PAPERS, level=level) as client:
            client.ready()
            where = client.ask(PEER, 20, socks.BIND)
            caller = socket.create_connection(where, 20, (PEER, 0))
            expect_equal(client.read_reply(), caller.getsockname()[:2],
                         "the second reply")
            caller.sendall(b"called")
            expect_equal(client.get(6), b"called", "what the caller says")
            client.put(b"answered")
            expect_equal(caller.recv(8, socket.MSG_WAITALL), b"answered",
                         "what the client says")
            client.sock.shutdown(socket.SHUT_WR)
            expect_equal(caller.recv(1), b"", "the client's end")
            caller.close()


@behaviour(**COMMANDS)
def datagrams_have_the_protection_of_their_seal(lab):
    echo_port = lab.echo(PEER).port
    with TlsClient(lab, PAPERS, level=2, flags=DATAGRAM_FLAGS) as client:
        association = Association(client.ready())
        association.send(PEER, echo_port, b"sealed")
        expect_equal(association.receive(), (PEER, echo_port, b"sealed"),
                     "the echo")
        name = client.name
        client.sock.shutdown(socket.SHUT_WR)
        lab.audit.wait_for(client=name, event="close", reason="ok")
    # TLS does nothing for those that are not sealed.
    with TlsClient(lab, PAPERS, level=0, flags=DATAGRAM_FLAGS) as client:
        name = client.name
        try:
            association = Association(client.ready())
            association.send(PEER, echo_port, b"clear")
            association.nothing_comes()
        except socks.Refused as refused:
            expect_equal(refused.args[0], 2, "the reply")
    record = lab.audit.wait_for(client=name, event="decision",
                                outcome="fail")
    expect_equal(record["protection"], "none", "the protection on record")


# Who may speak it

@behaviour
def old_versions_are_refused(lab):
    for listener, version in [("tls", ssl.TLSVersion.TLSv1_1),
                              ("new", ssl.TLSVersion.TLSv1_2)]:
        sock, name = raw(lab, listener)
        try:
            Inside(sock, client_context(PAPERS, version=version))
            raise AssertionError(f"{version} was spoken")
        except ssl.SSLError as error:
            expect("alert" in str(error), f"an alert in {error}")
        record = lab.audit.wait_for(client=name, event="close")
        expect_equal(record["reason"], "tls_version", "the reason")
    client, served = opened(lab, listener="new")
    client.close()
    served.close()


@behaviour
def what_is_no_tls_ends_at_once(lab):
    for octets in [b"\x05\x01\x01", b"\x04\x01", b"GET / HTTP/1.0\r\n\r\n",
                   os.urandom(100).replace(b"\x16", b"x", 1)]:
        sock, name = raw(lab)
        start = time.monotonic()
        sock.sendall(octets)
        try:
            expect_equal(sock.recv(100), b"", "from the gateway")
        except ConnectionResetError:
            pass
        expect(time.monotonic() - start < 2, "ended at once")
        record = lab.audit.wait_for(client=name, event="close")
        expect_equal(record["reason"], "tls_clear", "the reason")
        sock.close()


@behaviour
def garbage_in_a_handshake_is_refused(lab):
    sock, name = raw(lab)
    sock.sendall(b"\x16\x03\x01\x02\x00" + b"\xaa" * 512)
    try:
        while sock.recv(100):
            pass
    except ConnectionResetError:
        pass
    lab.audit.wait_for(client=name, event="close", reason="tls_handshake")


@behaviour
def client_certificates_are_demanded(lab):
    for own, word in [(None, "certificate"),
                      (PAPERS.foreign, "local issuer")]:
        sock, name = raw(lab, "mutual")
        try:
            inside = Inside(sock, client_context(PAPERS, own))
            inside.sendall(b"\x05\x01\x01")
            inside.recv(2)
            raise AssertionError(f"served with {own}")
        except (ssl.SSLError, ConnectionResetError):
            pass
        record = lab.audit.wait_for(client=name, event="auth",
                                    outcome="fail")
        expect_equal(record["reason"], "tls_client_certificate", "reason")
        expect(word in record["detail"], f"{word} in {record['detail']}")
    client, served = opened(lab, listener="mutual", own=PAPERS.alice)
    record = lab.audit.wait_for(client=client.name, event="auth",
                                outcome="ok")
    expect("client certificate CN=alice" in record["detail"],
           f"the subject in {record['detail']}")
    expect_equal(record["identity"], "alice@EXAMPLE.COM", "the identity")
    client.close()
    served.close()


@behaviour
def a_slow_handshake_is_cut_off_at_the_deadline(lab):
    sock, name = raw(lab)
    start = time.monotonic()
    sock.settimeout(1)
    try:
        for octet in b"\x16\x03\x01\x02\x00" + b"\x01" * 60:
            sock.sendall(bytes([octet]))
            try:
                if not sock.recv(100):
                    break
            except TimeoutError:
                pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    expect(4 < time.monotonic() - start < 8,
           f"cut off after {time.monotonic() - start:.1f} s")
    lab.audit.wait_for(client=name, event="close",
                       reason="handshake_timeout")


# How it ends

@behaviour
def the_client_may_finish_first(lab):
    for version in VERSIONS.values():
        client, served = opened(lab, 0, "clear", version=version)
        client.send(b"question")
        client.sock.shutdown(socket.SHUT_WR)
        expect_equal(served.recv(100, socket.MSG_WAITALL), b"question",
                     "what was asked")
        served.sendall(b"answer" * 20000)
        served.close()
        expect_equal(client.read(120000), b"answer" * 20000, "the answer")
        expect_equal(client.sock.recv(1), b"", "the end")
        client.close()


@behaviour
def the_target_may_finish_first(lab):
    for version in VERSIONS.values():
        client, served = opened(lab, 0, "clear", version=version)
        served.sendall(b"banner")
        served.shutdown(socket.SHUT_WR)
        expect_equal(client.read(6), b"banner", "the banner")
        expect_equal(client.sock.recv(1), b"", "the end")
        client.send(b"late" * 100000)
        client.sock.shutdown(socket.SHUT_WR)
        got = b""
        while data := served.recv(65536):
            got += data
        expect_equal(got, b"late" * 100000, "what came late")
        client.close()
        served.close()


@behaviour
def an_end_that_tls_does_not_vouch_for_is_a_reset(lab):
    for listener, level in [("clear", 0), ("tls", 2)]:
        client, served = opened(lab, level, listener)
        name = client.name
        client.put(b"all of it?")
        client.sock.raw.shutdown(socket.SHUT_WR)
        expect_equal(served.recv(10, socket.MSG_WAITALL), b"all of it?",
                     "what came before")
        try:
            served.recv(1)
            raise AssertionError("the target saw a clean end")
        except ConnectionResetError:
            pass
        lab.audit.wait_for(client=name, event="close",
                           reason="tls_truncated")
        client.close()
        served.close()


@behaviour
def resets_pass_both_ways(lab):
    for who in ["client", "target"]:
        client, served = opened(lab)
        name = client.name
        for_good = struct.pack("ii", 1, 0)
        ends = [client.sock.raw, served]
        if who == "target":
            ends.reverse()
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, for_good)
        ends[0].close()
        try:
            ends[1].recv(1)
            raise AssertionError(f"no reset after that of the {who}")
        except ConnectionResetError:
            pass
        lab.audit.wait_for(client=name, event="close",
                           reason=f"{who}_reset")
        ends[1].close()


@behaviour
def a_refusal_ends_with_the_word_of_tls(lab):
    with TlsClient(lab, PAPERS) as client:
        client.ready()
        try:
            client.ask(lab.place.forbidden, 80)
            raise AssertionError("it was permitted")
        except socks.Refused:
            pass
        # An SSLError here: a FIN that TLS knows nothing of.
        expect_equal(client.sock.recv(1), b"", "the end")


@behaviour
def a_stopped_reader_stops_the_target(lab):
    client, served = opened(lab, 0, "clear", receive_buffer=8192)
    served.setblocking(False)
    before, sent = lab.gateway.memory(), 0
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 1:
        try:
            sent += served.send(b"x" * 65536)
            quiet_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    grown = lab.gateway.memory() - before
    expect(grown < 2048, f"memory grew by {grown} kB")
    served.setblocking(True)
    served.close()
    got = 0
    while data := client.sock.recv(65536):
        got += len(data)
    expect_equal(got, sent, "octets that arrived")
    client.close()


# Certificates come and go

@behaviour
def a_reload_takes_a_new_certificate(lab):
    def serial():
        with TlsClient(lab, PAPERS) as client:
            return client.sock.tls.getpeercert()["subject"]

    client, served = opened(lab, 0, "clear")
    expect_equal(serial(), ((("commonName", "first"),),), "before")
    PAPERS.install(PAPERS.second, INSTALLED)
    expect_equal(serial(), ((("commonName", "first"),),), "without a reload")
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
    expect_equal(serial(), ((("commonName", "second"),),), "after it")
    client.send(b"still here")
    expect_equal(served.recv(10, socket.MSG_WAITALL), b"still here",
                 "the running session")
    client.close()
    served.close()


@behaviour
def a_bad_paper_is_refused_and_changes_nothing(lab):
    line = 1 + next(
        number for number, text in enumerate(
            print_settings(lab.gateway.settings).splitlines())
        if "tls_key" in text)
    client, served = opened(lab)
    for trouble, words in [
            (lambda: shutil.copy(PAPERS.alice[1], f"{INSTALLED}/gw.key"),
             ["tls_key", "is not the key of the certificate"]),
            (lambda: open(f"{INSTALLED}/gw.key", "w").close(),
             ["tls_key", "holds no key"]),
            (lambda: os.remove(f"{INSTALLED}/gw.key"),
             ["tls_key", "No such file"])]:
        trouble()
        record = lab.gateway.reload()
        expect_equal(record["outcome"], "fail", "the reload")
        for word in [f"{lab.gateway.path}:{line}: ", *words]:
            expect(word in record["detail"],
                   f"{word} in {record['detail']!r}")
        status, _, said = lab.gateway.check()
        expect_equal(status, 78, f"--check: {said}")
        for word in [f"{lab.gateway.path}:{line}: ", *words]:
            expect(word in said, f"{word} in {said!r}")
        # New sessions have the old certificate, and so has a new gateway.
        another, its_target = opened(lab)
        another.close()
        its_target.close()
    client.put(b"still here")
    expect_equal(served.recv(10, socket.MSG_WAITALL), b"still here",
                 "the running session")
    lab.gateway.kill("gateway")
    wait_until(lambda: is_served(lab), "TLS is served again", 20)
    PAPERS.install(PAPERS.first, INSTALLED)
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
    client.close()
    served.close()


def is_served(lab):
    try:
        client, served = opened(lab)
    except (OSError, Closed):
        return False
    client.close()
    served.close()
    return True


@behaviour
def check_warns_of_a_certificate_whose_time_is_over(lab):
    certificate, key = PAPERS.expired
    settings = {**lab.gateway.settings,
                "listener tls": {"address": "127.0.0.1:1",
                                 "tls_certificate": certificate,
                                 "tls_key": key}}
    status, _, said = lab.gateway.check(settings)
    expect_equal(status, 0, f"--check: {said}")
    expect(re.search(r"checked.conf:\d+: listener.tls_certificate: "
                     r"\S+: the certificate has expired on", said),
           f"a warning in {said!r}")
    os.chmod(key, 0o644)
    status, _, said = lab.gateway.check(settings)
    expect_equal(status, 78, "a key that everybody may read")
    expect("mode 0644" in said, f"the mode in {said!r}")
    settings["listener tls"]["tls_minimum"] = Raw("1.1")
    expect_equal(lab.gateway.check(settings)[0], 78, "1.1")


@behaviour
def another_program_s_tls_is_understood(lab):
    """openssl s_client, with key updates in the middle of a session."""
    address, port = lab.listeners["tls"]
    client = subprocess.Popen(
        ["/usr/bin/openssl", "s_client", "-connect", f"{address}:{port}",
         "-CAfile", PAPERS.ca, "-verify_return_error", "-tls1_3"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    output = b""
    os.set_blocking(client.stdout.fileno(), False)

    def said(word):
        nonlocal output
        output += client.stdout.read() or b""
        return word in output

    wait_until(lambda: said(b"Verify return code: 0"), "the handshake", 20)
    # "K" alone on a line: update the keys, and ask for the same.
    client.stdin.write(b"K\n")
    client.stdin.flush()
    wait_until(lambda: said(b"KEYUPDATE"), "the key update", 20)
    # Then it is no SOCKS, and the gateway ends with close_notify or an
    # end; either way s_client ends.
    client.stdin.write(b"no SOCKS\n")
    client.stdin.flush()
    wait_until(lambda: client.poll() is not None, "it ends", 20)


@behaviour
def nothing_is_left_open_behind_sessions(lab):
    def settled():
        count = lab.gateway.descriptors()
        time.sleep(0.5)
        return count == lab.gateway.descriptors() and count

    before = wait_until(settled, "descriptors do not change", 20)
    for number in range(20):
        client, served = opened(lab)
        client.put(b"hello")
        served.recv(5, socket.MSG_WAITALL)
        if number % 2:
            client.reset()
        client.close()
        served.close()
        sock, _ = raw(lab)
        sock.sendall(b"\x05\x01\x00" if number % 2 else b"\x16\x03")
        sock.close()
    wait_until(lambda: lab.gateway.descriptors() <= before,
               "as many descriptors as before", 20)


def change_a_record(lab, listener, greeting, proof):
    sock, name = raw(lab, listener)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(PAPERS).wrap_bio(into, out,
                                          server_hostname="gw.example.com")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            sock.sendall(out.read())
            into.write(sock.recv(65536))
    tls.write(greeting)
    sock.sendall(out.read())
    lab.audit.began(name, len(lab.audit.records()))
    tls.write(proof)
    record = bytearray(out.read())
    record[-1] ^= 1
    sock.sendall(record)
    sock.close()
    closed = lab.audit.wait_for(client=name, event="close")
    expect_equal(closed["reason"], "tls_error", "reason")


@behaviour
def a_record_that_is_changed_while_a_client_is_proved_is_named(lab):
    change_a_record(lab, "tls", b"\x05\x01\x01", b"\x01\x01\x00\x04aaaa")
    change_a_record(lab, "passwords", b"\x05\x01\x02",
                    message("alice", "secret"))
