# SPDX-License-Identifier: ISC
"""After a login no program has the password in its memory, and no log."""

import glob
import os
import socket
import ssl
import struct

from tests.lab import memory, pam
from tests.lab.passwords import begin, login, message
from tests.lab.process import children, wait_until
from tests.lab.slapd import rule
from tests.lab.socks import request_octets
from tests.lab.suite import behaviour, expect_equal
from tests.lab.tls import Inside, Papers, client_context

ALONE = True
NEEDS_ROOT = True

PAPERS = Papers()
SETTINGS = pam.settings(service="unix")
SETTINGS["listener tls"] = {
    "methods": ["gssapi", "password"],
    "tls_certificate": PAPERS.first[0], "tls_key": PAPERS.first[1]}

LAB = {
    "pam": True,
    "entries": rule("passwords", gwMethod="password",
                    gwDestination="10.77.0.0/16"),
    "settings": SETTINGS,
}

WRONG = "wrong-93c1f0a7be52d84461"
BROKEN_OFF = "broken-off-5b7d20e9ac416f38"


def relaying(lab, user, password, **options):
    """A session past its login that relays; its client and target's side."""
    acceptor = lab.acceptor()
    client = begin(lab, **options)
    client.send(message(user, password))
    expect_equal(client.read(2), b"\1\0", "the reply")
    client.send(request_octets(acceptor.address, acceptor.port))
    expect_equal(client.read(2), b"\5\0", "the reply to the request")
    served = acceptor.accept()
    served.sendall(b"relayed")
    client.read(8)  # the rest of the reply
    expect_equal(client.read(7), b"relayed", "what the target sent")
    return client, served


def broken_off(lab, user, password, cut, **options):
    """A login whose message does not come whole."""
    with begin(lab, **options) as client:
        name = client.name
        client.send(message(user, password)[:cut])
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
    lab.audit.wait_for(client=name, event="close")


def programs(lab):
    """Every process of the house."""
    master = lab.gateway.program.pid
    found = [(master, "gatewarden")]
    for pid, name in children(master):
        found += [(pid, name), *children(pid)]
    return found


def logs(lab):
    """The diagnostic log, the records, and what the daemons of the lab wrote:
    none of them was given a password in clear."""
    return [path for path in
            glob.glob(f"{lab.directory}/gateway/**", recursive=True) +
            glob.glob(f"{lab.directory}/syslog/**", recursive=True)
            if os.path.isfile(path)]


def expect_nowhere(lab, wanted, look=memory.in_pages):
    for pid, name in programs(lab):
        expect_equal(look(pid, wanted), [], f"in {name}")
    for path in logs(lab):
        expect_equal(memory.in_file(path, wanted), [], path)


def log_in_every_way(lab, **options):
    """Right, wrong, broken off at each place of interest; a session relays
    meanwhile."""
    right = lab.pam.passwords["alice"]
    client, served = relaying(lab, "alice", right, **options)
    expect_equal(login(lab, "alice", right, **options).reply, b"\1\0",
                 "the reply")
    expect_equal(login(lab, "bob", WRONG, **options).reply, b"\1\1",
                 "the reply")
    whole = len(message("bob", BROKEN_OFF))
    for cut in [whole - 1, whole - 5, whole - 12, whole]:
        broken_off(lab, "bob", BROKEN_OFF, cut, **options)
    wait_until(lambda: not children(
        lab.gateway.pids("password-checker")[0]), "every login has ended")
    return client, served, (memory.pieces(right) | memory.pieces(WRONG) |
                            memory.pieces(BROKEN_OFF))


@behaviour
def what_is_sought_would_be_found(lab):
    """The test's own eyes: this process has what it looks for."""
    wanted = memory.pieces(lab.pam.passwords["alice"])
    found = memory.in_pages(os.getpid(), wanted)
    expect_equal(bool(found), True, "found in our own memory")
    expect_equal(bool(memory.in_core(os.getpid(), lab.directory, wanted)),
                 True, "found in our own core")


def expect_forgotten(lab, **options):
    client, served, wanted = log_in_every_way(lab, **options)
    expect_nowhere(lab, wanted)
    client.close()
    served.close()
    expect_nowhere(lab, wanted)
    # What gcore leaves out, for a sanitizer's sake too, was looked at above.
    expect_nowhere(lab, wanted, lambda pid, wanted: memory.in_core(
        pid, lab.directory, wanted) if memory.can_be_dumped(pid) else [])


@behaviour
def no_program_and_no_log_has_a_password_after_the_login(lab):
    expect_forgotten(lab)


def expect_forgotten_inside_tls(lab, version):
    expect_forgotten(lab, listener="tls", wrap=lambda sock: Inside(
        sock, client_context(PAPERS, version=version)))


@behaviour
def nor_when_it_came_inside_tls_1_2(lab):
    expect_forgotten_inside_tls(lab, ssl.TLSVersion.TLSv1_2)


@behaviour
def nor_when_it_came_inside_tls_1_3(lab):
    expect_forgotten_inside_tls(lab, ssl.TLSVersion.TLSv1_3)
