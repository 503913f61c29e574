# SPDX-License-Identifier: ISC
"""Programs and dependencies that die or hang while sessions run."""

import os
import signal
import socket
import threading
import time

from tests.lab import pam
from tests.lab.passwords import login
from tests.lab.process import wait_until
from tests.lab.socks import (Aborted, Client, Closed, Refused, TOKEN,
                             Transfer, assert_same, frame, run_transfers)
from tests.lab.suite import behaviour, expect, expect_equal

ALONE = True
NEEDS_ROOT = True

HELPERS = ["authenticator", "directory-watch", "directory-lookup", "auditor"]
TRANSFERS = 100


def opened(lab, acceptor, **options):
    client = Client(lab, **options)
    client.connect(acceptor.address, acceptor.port)
    return client, acceptor.accept()


def works_again(lab, acceptor, seconds=1.0, since=None):
    """A new session works within a second of now (or of since)."""
    start = since or time.monotonic()
    while True:
        try:
            client, served = opened(lab, acceptor, timeout=5)
            client.close()
            served.close()
            break
        except (Closed, Aborted, Refused):
            if time.monotonic() - start > seconds:
                raise
            time.sleep(0.02)
    taken = time.monotonic() - start
    expect(taken < seconds, f"new sessions worked after {taken:.2f} s")


def running_transfers(lab, acceptor, count=TRANSFERS, size=400000,
                      seconds=10):
    """Transfers that take about so many seconds, in a thread of their own;
    join() returns when all have arrived whole."""
    ends = []
    for number in range(count):
        client, served = opened(lab, acceptor, level=1 + number % 3)
        pace = size / seconds
        ends.append((Transfer(client.sock, size, number, client, 16384, pace),
                     Transfer(served, size, number + 0.5, None, 16384, pace)))
    failure = []

    def run():
        try:
            run_transfers([end for pair in ends for end in pair])
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join()
        if failure:
            raise failure[0]
        for ours, theirs in ends:
            assert_same(ours, theirs)
            ours.sock.close()
            theirs.sock.close()
    join.is_running = thread.is_alive
    return join


@behaviour(pam=True, settings=pam.settings("unix"))
def any_helper_may_be_killed_while_a_hundred_transfers_run(lab):
    acceptor = lab.acceptor()
    join = running_transfers(lab, acceptor)
    for program in [*HELPERS, "password-checker"]:
        killed = time.monotonic()
        lab.gateway.kill(program)
        works_again(lab, acceptor, since=killed)
        expect(join.is_running(), f"transfers ran while {program} died")
    expect_equal(login(lab, "alice", lab.pam.passwords["alice"]).reply,
                 b"\1\0", "a login after the checker's death")
    join()
    lab.audit.assert_gapless()


@behaviour
def questions_that_a_killed_authenticator_held_fail_with_a_reason(lab):
    for pid in lab.gateway.pids("authenticator"):
        os.kill(pid, signal.SIGSTOP)
    with Client(lab) as client:
        name = client.name
        client.greet()
        client.send(frame(TOKEN, client.initiate()))
        time.sleep(0.3)
        for pid in lab.gateway.pids("authenticator"):
            os.kill(pid, signal.SIGKILL)
        try:
            client.read_frame(TOKEN)
            raise AssertionError("was answered")
        except (Aborted, Closed):
            pass
    lab.audit.wait_for(client=name, event="auth", reason="auth_worker_lost")
    works_again(lab, lab.acceptor())


@behaviour(settings={"kerberos": {"timeout": 2}})
def an_authenticator_that_hangs_fails_only_what_it_held(lab):
    stuck = lab.gateway.pids("authenticator")
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    with Client(lab) as client:
        name = client.name
        client.greet()
        client.send(frame(TOKEN, client.initiate()))
        start = time.monotonic()
        try:
            client.read_frame(TOKEN)
            raise AssertionError("was answered")
        except (Aborted, Closed):
            pass
        expect(1 < time.monotonic() - start < 5, "failed in time")
    lab.audit.wait_for(client=name, event="auth",
                       reason="auth_worker_timeout")
    for pid in stuck:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    works_again(lab, lab.acceptor(), 3)


@behaviour
def no_record_is_lost_when_the_auditor_is_killed(lab):
    names, stop = [], threading.Event()

    def clients():
        while not stop.is_set():
            with Client(lab) as client:
                names.append(client.name)
                client.ready()

    thread = threading.Thread(target=clients)
    thread.start()
    for _ in range(3):
        time.sleep(0.3)
        lab.gateway.kill("auditor")
    time.sleep(0.3)
    stop.set()
    thread.join()
    for name in names:
        lab.audit.wait_for(client=name, event="close")
    lab.audit.assert_gapless()


@behaviour
def the_gateway_that_is_killed_starts_again_on_the_same_listeners(lab):
    acceptor = lab.acceptor()
    client, served = opened(lab, acceptor)
    client.put(b"hello")
    expect_equal(served.recv(5, socket.MSG_WAITALL), b"hello", "relayed")
    refusals = []
    stop = threading.Event()

    def knock():
        address = lab.listeners["main"]
        while not stop.is_set():
            with socket.socket() as sock:
                if sock.connect_ex(address) != 0:
                    refusals.append(time.monotonic())
            time.sleep(0.01)

    thread = threading.Thread(target=knock)
    thread.start()
    lab.gateway.kill("gateway")
    expect_equal(client.read_to_end(), b"", "the session ends")
    works_again(lab, acceptor, 3)
    stop.set()
    thread.join()
    expect_equal(refusals, [], "refused connections meanwhile")
    works_again(lab, acceptor)


@behaviour
def every_program_ends_with_the_master(lab):
    pids = [pid for program in ["gateway", *HELPERS]
            for pid in lab.gateway.pids(program)]
    expect(len(pids) >= 6, f"programs: {pids}")
    lab.gateway.program.kill()

    def is_gone(pid):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(lambda: all(is_gone(pid) for pid in pids),
               "all programs have ended")
    lab.gateway.start()
    works_again(lab, lab.acceptor(), 5)


def speed(lab, acceptor, size=30 << 20):
    client, served = opened(lab, acceptor, level=2)
    ours = Transfer(client.sock, size, "speed", client, 65000)
    theirs = Transfer(served, size, "back", None, 65000)
    taken = run_transfers([ours, theirs])
    assert_same(ours, theirs)
    client.close()
    served.close()
    return size / taken


def keeps_its_speed(lab, fault, repair):
    acceptor = lab.acceptor()
    speed(lab, acceptor, 5 << 20)
    before = speed(lab, acceptor)
    # A session that runs while the fault comes.
    client, served = opened(lab, acceptor)
    fault()
    try:
        size = 30 << 20
        ours = Transfer(client.sock, size, "speed", client, 65000)
        theirs = Transfer(served, size, "back", None, 65000)
        meanwhile = size / run_transfers([ours, theirs])
        assert_same(ours, theirs)
    finally:
        repair()
    client.close()
    served.close()
    # A loop that waits would stand still; tests/long/loop_stall measures.
    expect(meanwhile > 0.25 * before,
           f"{before / 1e6:.0f} MB/s before, {meanwhile / 1e6:.0f} meanwhile")


@behaviour
def sessions_keep_their_speed_while_syslog_hangs(lab):
    keeps_its_speed(lab, lab.syslog.program.pause, lab.syslog.program.resume)


@behaviour
def sessions_keep_their_speed_while_the_directory_hangs(lab):
    keeps_its_speed(lab, lab.slapd.program.pause, lab.slapd.program.resume)


@behaviour
def new_sessions_are_served_while_syslog_hangs(lab):
    acceptor = lab.acceptor()
    lab.syslog.program.pause()
    try:
        for _ in range(100):
            client, served = opened(lab, acceptor, timeout=5)
            client.close()
            served.close()
    finally:
        lab.syslog.program.resume()
    lab.audit.assert_gapless()
