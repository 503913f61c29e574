# SPDX-License-Identifier: ISC
"""What rules do to running sessions in every world, their limits, their times,
and the end of what permitted them: behaviours for a test file of each to
import."""

import socket
import threading
import time

from tests.lab.decisions import changed, mallory, outcome, removed, set_rule
from tests.lab.process import LabError, wait_until
from tests.lab.socks import (Association, BIND, Client, DATAGRAM_FLAGS,
                             Refused)
from tests.lab.suite import behaviour, expect, expect_equal

HOST = "10.77.0.81"


def generalized(seconds):
    """So many seconds from now as an LDAP time; Active Directory takes none
    without a fraction."""
    return time.strftime("%Y%m%d%H%M%S.0Z", time.gmtime(time.time() + seconds))


def permit(lab, cn="mallory", **attributes):
    world = lab.slapd
    try:  # what a behaviour that failed has left
        world.delete(world.rule_dn(cn))
    except LabError:
        pass
    changed(lab, world.rule(cn, gwPrincipal=mallory(lab), gwDestination=HOST,
                            **attributes))


class Running:
    """A session of mallory's through which octets go."""

    def __init__(self, lab, user="mallory", **options):
        self.lab = lab
        self.acceptor = lab.acceptor(address=HOST)
        self.client = Client(lab, user=user, **options)
        self.client.connect(HOST, self.acceptor.port)
        self.served = self.acceptor.accept()
        self.served.settimeout(10)
        self.check()

    def check(self):
        self.client.put(b"are you there")
        expect_equal(self.served.recv(100), b"are you there", "octets")

    def close(self):
        """Ends it from both ends, and waits until it has ended."""
        name = self.client.name
        self.client.close()
        self.served.close()
        self.lab.audit.wait_for(client=name, event="close")

    def ended(self, reason):
        """Waits for the end, at both ends; the records of the session."""
        try:
            while self.client.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        try:
            while self.served.recv(65536):
                pass
        except ConnectionResetError:
            pass
        record = self.lab.audit.wait_for(client=self.client.name,
                                         event="close")
        expect_equal(record["reason"], reason, "the end's reason")
        return record

    def revoked(self, rule=None):
        self.ended("revoked")
        record = self.lab.audit.wait_for(client=self.client.name,
                                         event="revoked")
        expect_equal((record["outcome"], record.get("rule")), ("fail", rule),
                     "the record of the revocation")
        expect(int(record["generation"]) > int(record["generation_before"]),
               f"generations in {record}")
        return record


@behaviour
def a_session_ends_with_the_rule_that_permitted_it(lab):
    permit(lab)
    running, other = Running(lab), Running(lab, user="alice")
    removed(lab, "mallory")
    running.revoked()
    # Who is still permitted does not notice.
    other.check()
    other.close()


@behaviour
def a_session_ends_when_a_rule_comes_to_deny_it(lab):
    world = lab.slapd
    permit(lab)
    running = Running(lab)
    changed(lab, world.rule("not now", "deny", gwOrder=1, gwDestination=HOST,
                            gwPrincipal=mallory(lab)))
    running.revoked("not now")
    removed(lab, "not now")
    removed(lab, "mallory")


@behaviour
def another_rule_may_take_over(lab):
    permit(lab)
    running = Running(lab)
    permit(lab, "mallory too")
    removed(lab, "mallory")
    running.check()
    removed(lab, "mallory too")
    running.revoked()


# Where mallory may go as one of staff, and not otherwise.
STAFF_ONLY = "10.77.0.82"


def join(lab):
    world = lab.slapd
    world.join("engineers", world.user_dn("mallory"))
    wait_until(lambda: outcome(lab, STAFF_ONLY, user="mallory")[0] != 2,
               "mallory is an engineer", 8, 0.1)


def leave(lab):
    lab.slapd.leave("engineers", lab.slapd.user_dn("mallory"))


def left(lab):
    wait_until(lambda: outcome(lab, STAFF_ONLY, user="mallory")[0] == 2,
               "mallory is no engineer any more", 8, 0.1)


@behaviour
def who_leaves_a_group_loses_what_it_permits(lab):
    join(lab)
    running, other = Running(lab), Running(lab, user="carol")
    leave(lab)
    running.ended("revoked")
    other.check()
    other.close()


@behaviour
def who_leaves_a_group_before_asking_is_denied(lab):
    join(lab)
    with Client(lab, user="mallory") as client:
        client.ready()
        leave(lab)
        left(lab)
        try:
            client.ask(HOST, 9)
            expect(False, "it was permitted")
        except Refused as refusal:
            expect_equal(refusal.args[0], 2, "reply")


def called(lab):
    """A client of mallory's that waits to be called, and where."""
    client = Client(lab, user="mallory").ready()
    return client, client.ask(HOST, 0, BIND)


@behaviour
def who_waits_for_a_caller_and_who_was_called_lose_it_too(lab):
    world = lab.slapd
    permit(lab)  # the connection without which nobody is waited for
    changed(lab, world.rule("callers", gwGroup=world.group_dn("staff"),
                            gwDestination=HOST, gwCommand="bind"))
    join(lab)
    running = Running(lab)
    waiting, _ = called(lab)
    relayed, where = called(lab)
    caller = socket.create_connection(where, 10, (HOST, 0))
    relayed.read_reply()
    caller.sendall(b"hello")
    expect_equal(relayed.get(5), b"hello", "octets")
    leave(lab)
    try:
        waiting.read_reply()
        expect(False, "it was called")
    except Refused as refusal:
        expect_equal(refusal.args[0], 2, "the second reply")
    for client in (waiting, relayed):
        record = lab.audit.wait_for(client=client.name, event="close")
        expect_equal(record["reason"], "revoked", "the end's reason")
        client.close()
    caller.close()
    running.check()
    running.close()
    removed(lab, "callers")
    removed(lab, "mallory")


def ends_soon(lab, cn):
    """The rule ends in two to three seconds; when, by the monotonic clock, at
    the latest."""
    end = time.monotonic() + 3
    changed(lab, set_rule(lab, cn, "gwNotAfter", generalized(3)))
    return end


@behaviour
def a_directory_that_is_silent_revokes_nobody(lab):
    world = lab.slapd
    permit(lab)
    running, granted = Running(lab, user="carol"), Running(lab)
    end = ends_soon(lab, "mallory")
    world.program.pause()
    # But time does.
    granted.ended("revoked")
    expect(time.monotonic() < end + 2, "the grant ended in time")
    time.sleep(max(0, end + 3 - time.monotonic()))
    running.check()
    world.program.resume()
    wait_until(lambda: outcome(lab, HOST, user="carol")[0] != 2,
               "the directory answers", 20, 0.5)
    running.check()
    running.close()
    removed(lab, "mallory")


def rules_serve_for(lab, seconds):
    """That long after the directory went away."""
    lab.gateway.settings.setdefault("policy", {})["stale_max"] = seconds
    lab.gateway.write_settings()
    lab.gateway.reload()


@behaviour
def a_grant_ends_when_the_rules_are_too_old_to_grant_any(lab):
    rules_serve_for(lab, 1)
    permit(lab)
    running, granted = Running(lab, user="carol"), Running(lab)
    end = ends_soon(lab, "mallory")
    lab.slapd.kill()
    granted.ended("revoked")
    expect(time.monotonic() < end + 2, "the grant ended in time")
    expect_equal(outcome(lab, HOST, user="carol")[1]["reason"],
                 "policy_unavailable", "a new session")
    running.check()
    running.close()
    lab.slapd.start()
    rules_serve_for(lab, 28800)
    wait_until(lambda: outcome(lab, HOST, user="carol")[0] != 2,
               "the directory answers", 20, 0.5)
    removed(lab, "mallory")


@behaviour
def hours_count_by_the_clocks_of_their_zone(lab):
    now = time.gmtime()
    today = time.strftime("%a", now)
    start = f"{now.tm_hour:02}:00"
    permit(lab, gwSchedule=f"{today} {start}-24:00 UTC")
    running = Running(lab)
    changed(lab, set_rule(lab, "mallory", "gwSchedule",
                          f"{today} {start}-24:00 UTC",
                          "Mon-Sun 00:00-24:00 Asia/Kathmandu"))
    running.check()
    other = time.strftime("%a", time.gmtime(time.time() + 3 * 86400))
    changed(lab, set_rule(lab, "mallory", "gwSchedule",
                          f"{other} 00:00-24:00 UTC"))
    running.revoked()
    removed(lab, "mallory")


@behaviour
def sessions_at_a_time_are_counted_for_each_identity(lab):
    permit(lab, gwMaxSessions=2)
    first, second = Running(lab), Running(lab)
    reply, record = outcome(lab, HOST, user="mallory")
    expect_equal((reply, record["reason"]), (2, "too_many_of_rule"),
                 "the third session")
    first.close()
    third = Running(lab)
    # Fewer from now on: who is in stays in.
    changed(lab, set_rule(lab, "mallory", "gwMaxSessions", 1))
    second.check()
    third.check()
    second.close()
    third.close()
    removed(lab, "mallory")


@behaviour
def a_session_lasts_as_long_as_its_rule_says(lab):
    permit(lab, gwMaxDuration=3)
    running = Running(lab)
    record = running.ended("lifetime")
    expect(2.5 < float(record["duration"]) < 6, record["duration"])
    changed(lab, set_rule(lab, "mallory", "gwMaxDuration", 3600))
    running = Running(lab)
    changed(lab, set_rule(lab, "mallory", "gwMaxDuration", 1))
    running.ended("lifetime")
    removed(lab, "mallory")


@behaviour
def an_idle_session_ends_as_its_rule_says(lab):
    permit(lab, gwIdleTimeout=2)
    running = Running(lab)
    record = running.ended("idle_timeout")
    expect(1.5 < float(record["duration"]) < 5, record["duration"])
    removed(lab, "mallory")


def octets_in(running, seconds):
    """How many the client gets in that time."""
    count, end = 0, time.monotonic() + seconds
    running.client.sock.settimeout(0.2)
    while time.monotonic() < end:
        try:
            count += len(running.client.sock.recv(65536))
        except socket.timeout:
            pass
    return count


@behaviour
def all_sessions_of_an_identity_share_the_rate(lab):
    permit(lab, gwMaxRate=200000)
    both = [Running(lab), Running(lab)]
    for running in both:
        running.served.setblocking(False)
        try:
            running.served.send(bytes(4000000))
        except BlockingIOError:
            pass
    octets_in(both[0], 1)  # the burst
    octets_in(both[1], 0.5)
    began = time.monotonic()
    count = 0
    while time.monotonic() - began < 4:
        count += octets_in(both[0], 0.25) + octets_in(both[1], 0.25)
    rate = count / (time.monotonic() - began)
    expect(100000 < rate < 260000, f"{rate:.0f} octets a second")
    for running in both:
        running.close()
    removed(lab, "mallory")


@behaviour
def the_rule_says_from_where_we_dial(lab):
    permit(lab, gwEgress="10.99.0.1")
    running = Running(lab)
    expect_equal(running.served.getpeername()[0], "10.99.0.1", "our address")
    record = lab.audit.wait_for(client=running.client.name, event="open")
    expect(record["egress"].startswith("10.99.0.1:"), record["egress"])
    running.close()
    changed(lab, set_rule(lab, "mallory", "gwEgress", "10.66.66.66"))
    with Client(lab, user="mallory") as client:
        client.ready()
        try:
            client.ask(HOST, 9)
            expect(False, "it was dialled from nowhere")
        except Refused as refusal:
            expect_equal(refusal.args[0], 1, "reply")
        record = lab.audit.wait_for(client=client.name, event="open")
        expect_equal(record["reason"], "no_egress", "reason")
    removed(lab, "mallory")


@behaviour
def a_dry_run_is_on_record_and_decides_nothing(lab):
    world = lab.slapd
    permit(lab)
    changed(lab, world.rule("dry", "deny", gwOrder=1, gwReportOnly="TRUE",
                            gwDestination=HOST, gwPrincipal=mallory(lab)))
    reply, record = outcome(lab, HOST, user="mallory")
    expect(reply in (0, 5), f"reply {reply}")
    expect_equal((record["rule"], record["report"], record["report_action"]),
                 ("mallory", "dry", "deny"), "the decision")
    removed(lab, "dry")
    reply, record = outcome(lab, HOST, user="mallory")
    expect("report" not in record, f"{record}")
    removed(lab, "mallory")


@behaviour
def datagrams_end_with_their_rule_too(lab):
    permit(lab, gwCommand="udp")
    echo = lab.echo(address=HOST)
    client = Client(lab, user="mallory", flags=DATAGRAM_FLAGS).ready()
    association = Association(client)
    association.send(HOST, echo.port, b"one")
    expect_equal(association.receive()[2], b"one", "the echo")
    removed(lab, "mallory")
    record = lab.audit.wait_for(client=client.name, event="close")
    expect_equal(record["reason"], "revoked", "reason")


class Chatter:
    """Datagrams of mallory's to an echo, one a millisecond, in an association
    that stands whatever happens to them."""

    def __init__(self, lab):
        changed(lab, lab.slapd.rule(
            "always", gwOrder=1, gwPrincipal=mallory(lab), gwCommand="udp",
            gwDestination="10.77.0.99"))
        self.lab, self.echo = lab, lab.echo(address=HOST)
        self.association = Association(Client(
            lab, user="mallory", flags=DATAGRAM_FLAGS).ready())
        self.send()
        expect_equal(self.association.receive()[2], b"again", "the echo")
        self.has_ended = threading.Event()
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def send(self):
        self.association.send(HOST, self.echo.port, b"again")

    def talk(self):
        while not self.has_ended.wait(0.001):
            self.send()

    def heard_until(self):
        """When the last came: then it was silent for a while."""
        began = last = time.monotonic()
        try:
            while True:
                self.association.receive(0.7)
                last = time.monotonic()
                expect(last < began + 15, "the echo falls silent")
        except socket.timeout:
            return last
        finally:
            self.has_ended.set()
            self.thread.join()

    def close(self):
        name = self.association.client.name
        self.association.close()
        record = self.lab.audit.wait_for(client=name, event="close")
        expect_equal(record["reason"], "ok", "the association's end")
        removed(self.lab, "always")


@behaviour
def datagrams_end_with_the_group_that_permitted_them(lab):
    world = lab.slapd
    changed(lab, world.rule("talk", gwGroup=world.group_dn("staff"),
                            gwDestination=HOST, gwCommand="udp"))
    join(lab)
    chatter = Chatter(lab)
    leave(lab)
    left(lab)
    known = time.monotonic()
    late = chatter.heard_until() - known
    expect(late < 3, f"{late:.1f} s after others were denied")
    chatter.close()
    removed(lab, "talk")


@behaviour
def a_grant_ends_at_its_time(lab):
    permit(lab, gwCommand=["connect", "udp"])
    chatter, running = Chatter(lab), Running(lab)
    end = ends_soon(lab, "mallory")
    record = running.ended("revoked")
    expect(time.monotonic() < end + 2, f"it ended in time: {record}")
    late = chatter.heard_until() - end
    expect(late < 2, f"datagrams {late:.1f} s after their grant")
    chatter.close()
    removed(lab, "mallory")
