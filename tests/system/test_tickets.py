# SPDX-License-Identifier: ISC
"""Tickets and keys: rotation, the end of a ticket, clocks, other realms."""

import os
import struct
import time

from gssapi.raw import GSSError

from tests.lab.gateway import give
from tests.lab.kdc import Realm
from tests.lab.process import run
from tests.lab.socks import (TOKEN, Aborted, Client, Closed, Refused,
                             frame)
from tests.lab.suite import behaviour, expect, expect_equal

LONG = True


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def works(lab, **options):
    spot = lab.target(echo)
    with Client(lab, **options) as client:
        client.connect(spot.address, spot.port)
        client.put(b"hello")
        expect_equal(client.get(5), b"hello", "the echo")


def refused(lab, reason, **options):
    with Client(lab, **options) as client:
        name = client.name
        try:
            client.ready()
            raise AssertionError("was proved")
        except (Aborted, Closed, GSSError):
            pass
    record = lab.audit.wait_for(client=name, event="auth", outcome="fail")
    expect_equal(record["reason"], reason, "reason")
    return record


@behaviour
def a_new_key_is_used_without_a_restart(lab):
    works(lab)
    old = "alice-old"
    lab.kinit("alice", called=old)
    works(lab, user=old)  # the cache holds a ticket of the old key now
    give(lab.keytab, "authenticator", 0o600)
    lab.realm.new_key("socks/gw.example.com", lab.keytab)
    give(lab.keytab, "authenticator", 0o400)
    lab.kinit("alice")
    works(lab, user="alice")
    works(lab, user=old)  # the old key is kept in the keytab


@behaviour
def a_key_that_the_keytab_does_not_hold_is_named(lab):
    lab.realm.kadmin("cpw -randkey rcmd/gw.example.com")
    lab.kinit("alice", called="alice-new")
    record = refused(lab, "gss_key_unknown", user="alice-new",
                     service="rcmd@gw.example.com")
    expect("rcmd/gw.example.com" in record["detail"] and
           "kvno" in record["detail"],
           f"principal and kvno in {record['detail']!r}")


@behaviour(clockskew=3)
def a_session_ends_with_its_ticket(lab):
    lab.kinit("alice", "-l", "14s", called="brief")
    ends = time.time() + 14
    spot = lab.target(echo)
    with Client(lab, user="brief", timeout=40) as client:
        name = client.name
        client.connect(spot.address, spot.port)
        while time.time() < ends - 2:
            client.put(b"tick")
            expect_equal(client.get(4), b"tick", "the echo")
            time.sleep(0.5)
        client.get_to_end()
        late = time.time() - ends
    expect(-2 <= late <= 2, f"ended {late:.1f} s after its ticket")
    lab.audit.wait_for(client=name, event="close", reason="ctx_expired")


@behaviour
def a_ticket_that_has_ended_reaches_no_target(lab):
    """Libgssapi takes it: clocks may differ by so much."""
    lab.kinit("alice", "-l", "10s", called="brief")
    ends = time.time() + 10
    spot = lab.target(echo)
    with Client(lab, user="brief") as client:
        name = client.name
        client.greet()
        token = client.initiate()
        time.sleep(ends + 1 - time.time())
        client.send(frame(TOKEN, token))
        client.finish_authentication()
        client.negotiate()
        try:
            client.ask(spot.address, spot.port)
            raise AssertionError("the request was granted")
        except Refused as refusal:
            expect_equal(refusal.args[0], 1, "reply")
    lab.audit.wait_for(client=name, event="decision", outcome="fail",
                       reason="ctx_expired")
    expect_equal(spot.connections, 0, "connections to the target")


@behaviour(clockskew=3, settings={"kerberos": {"expiry_grace": 4}})
def a_grace_lets_a_session_outlive_its_ticket(lab):
    lab.kinit("alice", "-l", "10s", called="brief")
    ends = time.time() + 10
    spot = lab.target(echo)
    with Client(lab, user="brief", timeout=40) as client:
        client.connect(spot.address, spot.port)
        client.get_to_end()
        late = time.time() - ends
    expect(2 <= late <= 6, f"ended {late:.1f} s after its ticket")


@behaviour(clockskew=3, settings={"kerberos": {"end_with_ticket": False}})
def a_session_may_be_let_alone_by_its_ticket(lab):
    lab.kinit("alice", "-l", "10s", called="brief")
    ends = time.time() + 10
    spot = lab.target(echo)
    with Client(lab, user="brief") as client:
        client.connect(spot.address, spot.port)
        while time.time() < ends + 2:
            time.sleep(0.2)
        client.put(b"still")
        expect_equal(client.get(5), b"still", "the echo")


@behaviour
def another_realm_is_refused_unless_the_settings_name_it(lab):
    """alice of another realm is not our alice."""
    evil = Realm(f"{lab.directory}/evil", "EVIL.EXAMPLE", peers=[lab.realm])
    try:
        lab.realm.peers.append(evil)
        lab.realm.write_config()
        for realm in [lab.realm, evil]:
            realm.kadmin("addprinc -pw trust krbtgt/EXAMPLE.COM@EVIL.EXAMPLE")
        evil.kadmin("addprinc -pw alice alice@EVIL.EXAMPLE")
        ccache = f"{lab.directory}/cc.evil"
        evil.kinit("alice@EVIL.EXAMPLE", "alice", ccache)
        time.sleep(1.1)  # libkrb5 looks at its files' times by the second
        # The ticket is fetched by kvno, which uses the other configuration.
        run("/usr/bin/kvno", "-c", ccache,
            "socks/gw.example.com@EXAMPLE.COM", env=evil.env)
        lab.tickets["evil"] = ccache
        refused(lab, "gss_foreign_realm", user="evil",
                service="socks/gw.example.com@EXAMPLE.COM")
        lab.gateway.settings["kerberos"]["realms"] = ["EVIL.EXAMPLE"]
        lab.gateway.write_settings()
        expect_equal(lab.gateway.reload()["outcome"], "ok", "reload")
        with Client(lab, user="evil",
                    service="socks/gw.example.com@EXAMPLE.COM") as client:
            name = client.name
            client.ready()
        record = lab.audit.wait_for(client=name, event="auth", outcome="ok")
        expect_equal(record["identity"], "alice@EVIL.EXAMPLE", "identity")
    finally:
        evil.stop()


@behaviour
def long_and_strange_principals_are_whole_or_refused(lab):
    for length in [1, 255, 400]:
        name = "p" * length
        lab.realm.kadmin(f"addprinc -pw x {name}")
        lab.tickets[f"p{length}"] = lab.realm.kinit(
            name, "x", f"{lab.directory}/cc.p{length}")
        with Client(lab, user=f"p{length}") as client:
            ours = client.name
            client.ready()
        record = lab.audit.wait_for(client=ours, event="auth")
        expect_equal(record["identity"], f"{name}@EXAMPLE.COM", "identity")
    name = "q" * 600
    lab.realm.kadmin(f"addprinc -pw x {name}")
    lab.tickets["q600"] = lab.realm.kinit(name, "x",
                                          f"{lab.directory}/cc.q600")
    refused(lab, "gss_bad_name", user="q600")


@behaviour
def the_replay_cache_survives_a_restart(lab):
    with Client(lab) as client:
        client.greet()
        token = client.initiate()
        client.send(frame(TOKEN, token))
        client.finish_authentication()
    lab.gateway.stop()
    lab.gateway.start()
    with Client(lab) as client:
        name = client.name
        client.greet()
        client.send(frame(TOKEN, token))
        try:
            client.read_frame(TOKEN)
            client.read_frame(TOKEN)
        except (Aborted, Closed):
            pass
    lab.audit.wait_for(client=name, event="auth", reason="gss_token_replay")


@behaviour(start=False)
def an_unreadable_keytab_is_said_at_the_start(lab):
    os.unlink(lab.keytab)
    lab.gateway.start(ready=False)
    expect_equal(lab.gateway.program.popen.wait(10), 78, "exit code")
    expect(lab.keytab in lab.gateway.log_text(), "the log names the keytab")
    lab.gateway.program = None


def shift_clock(ccache, seconds):
    """The cache remembers how far the client's clock is from the KDC's; it
    is what the client's tokens are stamped with."""
    with open(ccache, "r+b") as cache:
        head = cache.read(16)
        expect_equal(head[:8], b"\x05\x04\x00\x0c\x00\x01\x00\x08",
                     "the cache's header")
        cache.seek(8)
        cache.write(struct.pack(">ii", seconds, 0))


@behaviour
def a_clock_that_is_wrong_is_named(lab):
    for called, seconds in [("fast", 600), ("faster", 86400 // 3)]:
        lab.kinit("alice", called=called)
        run("/usr/bin/kvno", "-c", lab.tickets[called],
            "socks/gw.example.com", env=lab.realm.env)
        shift_clock(lab.tickets[called], seconds)
        refused(lab, "gss_clock_skew", user=called)
