# SPDX-License-Identifier: ISC
"""Changes in the directory count at once, and whatever becomes of the
directory, no rules count that it does not have."""

import signal
import socket
import threading
import time

from tests.lab import live
from tests.lab.failures import last_rules_hold
from tests.lab.process import wait_until
from tests.lab.slapd import RULES, group_dn, rule, user_dn
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.worlds_sessions import HOST as REACHED, Running

LAB = {"settings": live.SETTINGS}
LONG = True

TRIALS = 20
# A busy machine must not make this fail; tests/long/live_latency measures.
BOUND_SECONDS = 3

HOST = "10.78.0.9"
FAST = {"directory": {**live.SETTINGS["directory"], "timeout": 1}}


def is_permitted(lab):
    return live.permitted(lab, HOST)


def becomes(lab, wanted, seconds=20):
    wait_until(lambda: is_permitted(lab) == wanted,
               f"alice to {HOST}: {wanted}", seconds)


def extra_rule(**attributes):
    return rule("extra", gwPrincipal="alice@EXAMPLE.COM",
                gwDestination=HOST, **attributes)


def told(lab, text, outcome="ok", since=0):
    return wait_until(
        lambda: [record for record in lab.audit.records()[since:]
                 if record["event"] == "dependency" and
                 record["outcome"] == outcome and
                 text in record.get("detail", "")],
        f"it is on record: {text}", 20)[0]


@behaviour
def how_changes_are_followed_is_on_record(lab):
    told(lab, "changes are followed by syncrepl: rules, users, groups")
    expect("changes are followed by syncrepl" in lab.gateway.log_text(),
           "the log says so")


@behaviour
def a_change_of_a_rule_or_a_set_or_a_nested_group_counts_at_once(lab):
    live.prepare(lab)
    for what in live.TRIALS:
        values = live.measure(lab, what, TRIALS)
        print(f"    {live.figures(what, values)}")
        expect(live.percentile(values, 50) < BOUND_SECONDS, what)


@behaviour
def one_bad_rule_among_good_ones_changes_nothing(lab):
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    since = len(lab.audit.records())
    lab.slapd.modify(
        f"dn: cn=extra,{RULES}\nchangetype: modify\n"
        "replace: gwAction\ngwAction: deny\n\n" +
        rule("bad", gwDestination="no/destination"))
    refused = wait_until(
        lambda: [record for record in lab.audit.records()[since:]
                 if record["event"] == "reload" and
                 record["outcome"] == "fail"],
        "the refusal is on record")[0]
    expect("cn=bad" in refused["detail"], f"the DN is named: {refused}")
    expect("no/destination" in refused["detail"], "and the value")
    lab.slapd.delete(f"cn=bad,{RULES}")
    becomes(lab, False)
    lab.slapd.delete(f"cn=extra,{RULES}")


@behaviour(syncprov=False)
def a_directory_that_does_not_tell_is_polled(lab):
    told(lab, "rules are read every 1 s, changes are not followed: the "
              "server offers neither")
    expect(not is_permitted(lab), "denied at first")
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    lab.slapd.modify(
        f"dn: {group_dn('engineers')}\nchangetype: modify\n"
        f"add: member\nmember: {user_dn('mallory')}\n")
    wait_until(lambda: live.permitted(lab, "10.77.0.80", user="mallory"),
               "the cache's time is over", 20)


@behaviour(settings=FAST)
def after_kill_9_changes_are_followed_again(lab):
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    since = len(lab.audit.records())
    with last_rules_hold(lab):
        lab.slapd.kill()
        told(lab, "", "fail", since)
        expect(is_permitted(lab), "the last rules stand")
        since = len(lab.audit.records())
        lab.slapd.start()
        told(lab, "changes are followed", since=since)
    lab.slapd.delete(f"cn=extra,{RULES}")
    becomes(lab, False)


@behaviour(settings=FAST)
def a_directory_that_was_restored_is_believed(lab):
    backup = lab.slapd.dump()
    lab.slapd.modify(extra_rule() + "\n" + rule(
        "lost", gwPrincipal="mallory@EXAMPLE.COM", gwDestination=REACHED))
    becomes(lab, True)
    lost, kept = Running(lab), Running(lab, user="alice")
    lab.slapd.stop()
    lab.slapd.restore(backup)
    lab.slapd.start()
    lost.revoked()
    becomes(lab, False)
    kept.check()
    kept.close()
    # Newer than what was lost: a cookie would call the lost rule present.
    lab.slapd.modify(extra_rule(gwAction="deny").replace(
        "gwAction: permit\n", ""))
    lab.slapd.modify(rule("other", gwPrincipal="alice@EXAMPLE.COM",
                          gwDestination="10.78.0.10"))
    wait_until(lambda: live.permitted(lab, "10.78.0.10"), "the new rule", 20)
    expect(not is_permitted(lab), "what was lost is lost")


@behaviour(settings=FAST)
def an_empty_database_leaves_the_last_rules(lab):
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    full = lab.slapd.dump()
    since = len(lab.audit.records())
    with last_rules_hold(lab):
        lab.slapd.kill()
        lab.slapd.restore("")
        lab.slapd.start()
        told(lab, "", "fail", since)
        expect(is_permitted(lab), "the last rules stand")
        lab.slapd.stop()
        lab.slapd.restore(full)
        since = len(lab.audit.records())
        lab.slapd.start()
        told(lab, "changes are followed", since=since)
    lab.slapd.delete(f"cn=extra,{RULES}")
    becomes(lab, False)


class Forwarder:
    """A way to the directory that can be cut."""

    def __init__(self, port):
        self.far, self.open = ("127.0.0.1", port), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(self.far)
                self.open += [near, far]
                for pair in [(near, far), (far, near)]:
                    threading.Thread(target=self._copy, args=pair,
                                     daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        for end in [self.listener, *self.open]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


@behaviour(settings=FAST, start=False)
def the_next_server_is_followed_when_one_is_lost(lab):
    way = Forwarder(lab.slapd.port)
    lab.gateway.settings["directory"]["uri"] = [way.uri, lab.slapd.uri]
    lab.gateway.write_settings()
    lab.start()
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    time.sleep(6)  # one that is lost at once counts as silent
    since = len(lab.audit.records())
    way.cut()
    lab.slapd.delete(f"cn=extra,{RULES}")
    becomes(lab, False)
    expect_equal([record for record in lab.audit.records()[since:]
                  if record["event"] == "dependency" and
                  record["outcome"] == "fail"], [], "failures")


@behaviour(settings=FAST)
def a_directory_that_hangs_is_noticed_and_followed_again(lab):
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    since = len(lab.audit.records())
    with last_rules_hold(lab):
        lab.slapd.program.signal(signal.SIGSTOP)
        try:
            told(lab, "", "fail", since)
            expect(is_permitted(lab), "the last rules stand")
        finally:
            lab.slapd.program.signal(signal.SIGCONT)
        told(lab, "changes are followed", since=since)
    lab.slapd.delete(f"cn=extra,{RULES}")
    becomes(lab, False)


@behaviour(settings={"directory": {**live.SETTINGS["directory"],
                                   "reread_interval": 1}})
def a_rule_that_we_may_no_longer_see_is_gone_after_a_while(lab):
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    lab.slapd.modify(
        "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n"
        "add: olcAccess\n"
        f'olcAccess: {{0}}to dn.exact="cn=extra,{RULES}" by * none\n',
        bind="cn=config")
    becomes(lab, False)


@behaviour(settings={"directory": {**live.SETTINGS["directory"],
                                   "live": "poll", "poll_interval": 1,
                                   "cache_ttl": 1}})
def who_wants_polling_gets_it(lab):
    told(lab, "rules are read every 1 s, changes are not followed")
    lab.slapd.modify(extra_rule())
    becomes(lab, True)
    expect_equal(lab.audit.find(event="dependency", outcome="fail"), [],
                 "failures")
