# SPDX-License-Identifier: ISC
"""gatewarden-agent connect: a pipe through the gateway."""

import hashlib
import os
import random
import socket
import struct
import subprocess
import threading
import time

from tests.lab import targets
from tests.lab.process import run
from tests.lab.socks import frame
from tests.lab.sshd import sshd
from tests.lab.suite import behaviour, expect, expect_equal

NO_TICKET, SERVICE, CLOCK, UNREACHABLE = 10, 11, 12, 14
ABORTED, REFUSED, PROTECTION, PROTOCOL = 15, 16, 17, 18


def agent(lab, *arguments, user="alice", given=b"", gateway=None, **env):
    """Runs it to its end: (exit code, output, words on standard error)."""
    address, port = gateway or lab.listeners["main"]
    done = subprocess.run(
        [f"{lab.programs}/gatewarden-agent", "connect", *map(str, arguments)],
        input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60, env={
            **lab.gateway.env, "GATEWARDEN_GATEWAY": f"{address}:{port}",
            "KRB5CCNAME": f"FILE:{lab.tickets.get(user, '/nonexistent')}",
            **env})
    return done.returncode, done.stdout, done.stderr.decode()


def fails(lab, code, *words, host="www.example.com", **options):
    """Ends with that code, and with one line that has these words."""
    status, output, said = agent(lab, host, 9, **options)
    expect_equal((status, output), (code, b""), f"exit code and output "
                 f"({said!r})")
    expect(said.startswith("gatewarden-agent: ") and said.count("\n") == 1,
           f"one line: {said!r}")
    for word in words:
        expect(word in said, f"{word!r} in {said!r}")


@behaviour
def a_page_is_fetched(lab):
    web = targets.Web(lab.place.web, page="a page\n")
    lab.targets.append(web)
    for protection in ["integrity", "selective", "confidentiality"]:
        status, output, said = agent(
            lab, "--protection", protection, "www.example.com", web.port,
            given=b"GET / HTTP/1.0\r\n\r\n")
        expect_equal((status, said), (0, ""), "exit code and words")
        expect(output.startswith(b"HTTP/1.0 200 ") and
               output.endswith(b"\r\n\r\na page\n"), f"{output!r}")
        record = lab.audit.wait_for(event="open", protection=protection)
        expect_equal(record["identity"], "alice@EXAMPLE.COM", "identity")


@behaviour
def large_streams_pass_both_ways_at_once(lab):
    spot = lab.target(targets.echo)
    given = random.Random(1).randbytes(20 << 20)
    status, output, said = agent(lab, spot.address, spot.port, given=given)
    expect_equal((status, said), (0, ""), "exit code and words")
    expect_equal(hashlib.sha256(output).digest(),
                 hashlib.sha256(given).digest(), "the echo")


@behaviour
def an_address_of_ipv6_is_a_target(lab):
    spot = lab.target(targets.echo, address=lab.place.web6)
    status, output, said = agent(lab, spot.address, spot.port, given=b"six")
    expect_equal((status, output, said), (0, b"six", ""), "the echo")


@behaviour
def what_is_wrong_is_said_in_plain_words(lab):
    fails(lab, NO_TICKET, "kinit", user="nobody")
    fails(lab, REFUSED, "rule", user="mallory")
    fails(lab, REFUSED, "payroll.example.com", host="payroll.example.com")
    fails(lab, REFUSED, "refused", host="four.example.com")
    fails(lab, UNREACHABLE, gateway=("127.0.0.1", 1))


@behaviour
def a_service_that_nobody_knows_is_named(lab):
    status, _, said = agent(lab, "-s", "socks@elsewhere.example.com",
                            "www.example.com", 9)
    expect_equal(status, SERVICE, f"exit code ({said!r})")
    expect("elsewhere.example.com" in said, f"{said!r}")
    status, _, said = agent(lab, "-s", "host@gw.example.com",
                            "www.example.com", 9)
    expect(status in (SERVICE, ABORTED), f"exit code {status} ({said!r})")


@behaviour
def a_wrong_clock_is_named(lab):
    lab.kinit("alice", called="fast")
    run("/usr/bin/kvno", "-c", lab.tickets["fast"], "socks/127.0.0.1",
        env=lab.realm.env)
    with open(lab.tickets["fast"], "r+b") as cache:
        cache.seek(8)
        cache.write(struct.pack(">ii", 600, 0))
    fails(lab, CLOCK, "clock", user="fast")


def impostor(answers):
    """Somebody who is no gateway: sends one answer for each message."""
    def serve(connection):
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)
        time.sleep(0.3)
    return serve


@behaviour
def a_gateway_that_cheats_is_not_believed(lab):
    for answers, code in [
            ([b"\x05\x00"], PROTOCOL),                   # no proof wanted
            ([b"\x05\x02"], PROTOCOL),                   # the password
            ([b"\x05\xff"], ABORTED),
            ([b"\x04\x01"], PROTOCOL),
            ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], PROTOCOL),
            ([b"\x05\x01", b"\x01\xff"], ABORTED),
            ([b"\x05\x01", b"\x01\xff\x00\x00"], ABORTED),
            ([b"\x05\x01", frame(1, b"")], None),
            ([b"\x05\x01", frame(1, b"garbage" * 20)], None),
            ([b"\x05\x01", frame(3, b"x" * 30)], PROTOCOL),
            ([b"\x05\x01", b"\x05\x00\x00\x01\0\0\0\0\0\0"], PROTOCOL)]:
        spot = lab.target(impostor(answers), address="127.0.0.1")
        status, output, said = agent(lab, "www.example.com", 9,
                                     gateway=("127.0.0.1", spot.port),
                                     given=b"secret")
        expect(status not in (0, -6, -11) and output == b"",
               f"{answers}: {status} {said!r}")
        expect(code is None or status == code,
               f"{answers}: {status} instead of {code} ({said!r})")


@behaviour(settings={"listener main": {"protection_maximum": "integrity"}})
def less_protection_than_was_asked_for_is_refused(lab):
    fails(lab, PROTECTION, "integrity")


@behaviour
def a_target_that_breaks_off_is_no_clean_end(lab):
    def break_off(connection):
        connection.recv(10)
        connection.sendall(b"half")
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
    spot = lab.target(break_off)
    status, output, said = agent(lab, spot.address, spot.port, given=b"hello")
    expect(status != 0, f"{status} {output!r} {said!r}")


# ssh

@behaviour
def ssh_needs_nothing_but_a_ticket(lab):
    program, user, port, at = sshd(lab)
    given = random.Random(2).randbytes(5 << 20)
    with open(f"{at}/there", "wb") as out:
        out.write(given)
    os.chmod(f"{at}/there", 0o644)
    address, gateway_port = lab.listeners["main"]
    try:
        done = subprocess.run(
            ["/usr/bin/sftp", "-q", "-b", "-", "-F", "none",
             "-i", f"{at}/key", "-P", str(port),
             "-o", "UserKnownHostsFile=" + f"{at}/known",
             "-o", "StrictHostKeyChecking=accept-new",
             "-o", "IdentitiesOnly=yes", "-o",
             f"ProxyCommand={lab.programs}/gatewarden-agent connect %h %p",
             f"{user}@www.example.com"],
            input=f"get {at}/there {at}/here\n", text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**lab.gateway.env, "KRB5CCNAME":
                 f"FILE:{lab.tickets['alice']}",
                 "GATEWARDEN_GATEWAY": f"{address}:{gateway_port}"})
        expect_equal(done.returncode, 0,
                     f"{done.stdout}\nsshd:\n{program.tail()}")
        with open(f"{at}/here", "rb") as source:
            expect(source.read() == given, "the file arrived whole")
    finally:
        program.stop()
    record = lab.audit.wait_for(event="close",
                                destination=f"www.example.com:{port}")
    expect(int(record["bytes_to_client"]) > len(given), "octets on record")


@behaviour
def many_agents_run_at_once(lab):
    spot = lab.target(targets.echo)
    given = os.urandom(100000)
    wrong = []

    def one():
        result = agent(lab, spot.address, spot.port, given=given)
        if result != (0, given, ""):
            wrong.append(result[2])

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(not wrong, f"{wrong[:3]}")
