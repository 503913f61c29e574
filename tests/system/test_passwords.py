# SPDX-License-Identifier: ISC
"""Names and passwords (RFC 1929) in the gateway: what a client sees, what it
does not see, and what the record says."""

import concurrent.futures
import socket
import statistics
import subprocess
import time

from tests.lab import pam, targets
from tests.lab.passwords import begin, login, message
from tests.lab.process import wait_until
from tests.lab.slapd import group_dn, rule
from tests.lab.socks import Client, PASSWORD, Refused, request_octets
from tests.lab.suite import behaviour, expect, expect_equal

NEEDS_ROOT = True
LONG = True

PROVED, FAILED = b"\1\0", b"\1\1"
DELAY = 0.3

RULES = (
    rule("passwords", gwMethod="password", gwPrincipal="*@pam",
         gwDestination=["10.77.0.80/32", "four.example.com"]) +
    rule("tickets", gwMethod="gssapi", gwDestination="10.77.0.81/32") +
    rule("sealed", gwProtection="integrity", gwOrder=1,
         gwDestination="10.77.0.82/32") +
    rule("staff", gwGroup=group_dn("staff"), gwDestination="10.77.0.83/32"))

# Wide enough for everything but the tests of the budgets themselves.
WIDE = {"pair_burst": 1000, "pair_refill": 2, "name_burst": 2000,
        "name_refill": 1, "source_burst": 10000, "source_refill": 1}
QUICK = {"failure_delay": int(DELAY * 1000),
         "failure_delay_max": int(DELAY * 1000)}


def settings(service="unix", **password):
    made = pam.settings(service)
    made["password"].update(
        {"service_dir": None, **WIDE, **QUICK, **password})
    return made


LAB = {"pam": True, "entries": RULES, "settings": {
    **settings(),
    # Debian's curl offers gssapi too, and then cannot go on with it.
    "listener desk": {"methods": ["password", "gssapi"]}}}


def refused(lab, user, password, reason, **options):
    """One failing login: the same octets as every other, and its reason."""
    done = login(lab, user, password, **options)
    expect_equal(done.record["reason"], reason, f"{user!r}'s login")
    expect_equal(done.record["outcome"], "fail", "the outcome")
    expect_equal(done.record.get("identity"), None, "an identity")
    expect_equal(done.reply, FAILED, "the reply")
    return done


def served_by(lab, address="10.77.0.80"):
    acceptor = targets.Acceptor(address)
    lab.targets.append(acceptor)
    return acceptor


# Success

@behaviour
def a_right_password_leads_to_the_target(lab):
    acceptor = served_by(lab)
    with begin(lab) as client:
        name = client.name
        client.send(message("alice", lab.pam.passwords["alice"]))
        expect_equal(client.read(2), PROVED, "the reply")
        client.granted = 0
        client.ask(acceptor.address, acceptor.port)
        served = acceptor.accept()
        client.send(b"hello")
        expect_equal(served.recv(5), b"hello", "what the target got")
        served.sendall(b"welcome")
        expect_equal(client.read(7), b"welcome", "what the client got")
        served.close()
    for event in ["auth", "decision", "open", "close"]:
        record = lab.audit.wait_for(client=name, event=event)
        expect_equal(
            [record.get(field) for field in
             ["outcome", "identity", "claimed", "method", "mechanism",
              "protection"]],
            ["ok", "alice@pam", None, "password", "pam", "none"], event)


@behaviour
def everything_may_be_sent_at_once(lab):
    acceptor = served_by(lab)
    with Client(lab) as client:
        client.send(bytes([5, 1, PASSWORD]) +
                    message("alice", lab.pam.passwords["alice"]) +
                    request_octets(acceptor.address, acceptor.port) +
                    b"and what the target gets" * 400)
        expect_equal(client.read(4), b"\5\2" + PROVED, "the answers")
        expect_equal(client.read(10)[:2], b"\5\0", "the reply")
        served = acceptor.accept()
        client.sock.shutdown(socket.SHUT_WR)
        octets = b""
        while more := served.recv(65536):
            octets += more
        expect_equal(octets, b"and what the target gets" * 400,
                     "what the target got")
        served.close()


@behaviour
def an_octet_at_a_time_is_as_good(lab):
    acceptor = served_by(lab)
    with Client(lab) as client:
        for octet in (bytes([5, 2, 0, PASSWORD]) +
                      message("alice", lab.pam.passwords["alice"])):
            client.send(bytes([octet]))
            time.sleep(0.005)
        expect_equal(client.read(4), b"\5\2" + PROVED, "the answers")
        for octet in request_octets("four.example.com", acceptor.port):
            client.send(bytes([octet]))
            time.sleep(0.005)
        expect_equal(client.read(10)[:2], b"\5\0", "the reply")


@behaviour
def a_browsers_thirty_connections_at_once_are_served(lab):
    right = lab.pam.passwords["alice"]
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        done = list(pool.map(lambda _: login(lab, "alice", right),
                             range(30)))
    expect_equal({one.reply for one in done}, {PROVED}, "the replies")


def curl(lab, port, user, password):
    return subprocess.run(
        ["/usr/bin/curl", "--silent", "--show-error", "--max-time", "20",
         "--proxy", "socks5h://{}:{}".format(*lab.listeners["desk"]),
         "--proxy-user", f"{user}:{password}",
         f"http://four.example.com:{port}/"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@behaviour
def curl_gets_its_page(lab):
    web = targets.Web("10.77.0.80")
    lab.targets.append(web)
    got = curl(lab, web.port, "alice", lab.pam.passwords["alice"])
    expect_equal(got.stdout, "Hello from the other side.\n", "the page")
    got = curl(lab, web.port, "alice", "wrong")
    expect_equal(got.returncode, 97, "curl's exit status: its proxy said no")
    expect("User was rejected" in got.stderr, got.stderr)


# Failure

@behaviour
def each_failure_has_its_own_reason_and_one_reply(lab):
    right = lab.pam.passwords
    for user, password, reason in [
            ("alice", "wrong", "password_wrong"),
            ("nobody-here", "wrong", "user_unknown"),
            ("expired", right["expired"], "account_expired"),
            ("stale", right["stale"], "password_expired"),
            ("alice", "", "bad_userpass"),
            ("", right["alice"], "bad_userpass"),
            ("alice\0", right["alice"], "bad_userpass"),
            ("alice", right["alice"] + "\0x", "bad_userpass"),
            ("alice@EXAMPLE.COM", right["alice"], "bad_userpass"),
            ("alice/admin", right["alice"], "bad_userpass"),
            (" alice", right["alice"], "bad_userpass"),
            ("x" * 65, right["alice"], "bad_userpass"),
            ("*", "wrong", "user_unknown"),
            ("../../etc/passwd", "wrong", "bad_userpass"),
            ("%s", "wrong", "user_unknown")]:
        done = refused(lab, user, password, reason)
        if reason != "bad_userpass":
            expect_equal(done.record["claimed"], f"{user}@pam", "the claim")
        expect(done.seconds > DELAY * 0.74,
               f"{reason} was said after {done.seconds:.2f} s")


@behaviour
def every_password_of_one_octet_is_only_wrong(lab):
    octets = [bytes([n]) for n in range(1, 256)]

    def one(octet):
        with begin(lab) as client:
            name = client.name
            client.send(b"\1\5alice\1" + octet)
            return name, client.read(2)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        done = list(pool.map(one, octets))
    for name, reply in done:
        expect_equal(reply, FAILED, "the reply")
        expect_equal(lab.audit.wait_for(client=name, event="auth")["reason"],
                     "password_wrong", "the reason")


@behaviour
def the_connection_ends_after_the_failure(lab):
    with begin(lab) as client:
        client.send(message("alice", "wrong") + request_octets(
            "10.77.0.80", 80) + b"what nobody gets")
        expect_equal(client.read_to_end(), FAILED, "all that came")


@behaviour
def a_message_that_is_cut_is_never_answered(lab):
    whole = message("alice", lab.pam.passwords["alice"])
    for cut in range(0, len(whole), 3):
        with begin(lab) as client:
            name = client.name
            client.send(whole[:cut])
            client.sock.shutdown(socket.SHUT_WR)
            expect_equal(client.read_to_end(), b"", "what came")
        record = lab.audit.wait_for(client=name, event="auth")
        expect_equal(record["reason"],
                     "truncated" if cut else "client_closed", "the reason")
        expect_equal(record.get("claimed"), None, "the claim")


@behaviour
def another_version_of_the_message_is_refused(lab):
    with begin(lab) as client:
        name = client.name
        client.send(b"\5\5alice\5right")
        expect_equal(client.read_to_end(), FAILED, "what came")
    expect_equal(lab.audit.wait_for(client=name, event="auth")["reason"],
                 "bad_userpass", "the reason")


@behaviour
def names_that_break_records_come_back_whole(lab):
    for user in ['"]', "\\", "a=b", "\u00e9\u4e2d", '"' * 64, "a\\x0ab"]:
        done = refused(lab, user, "wrong", "user_unknown")
        expect_equal(done.record["claimed"].replace("\\\\", "\\"),
                     f"{user}@pam", "the claim")
    for user in ["\r\n<13>1 ", "\x1b[2J", "a\u202eb", "\u2028"]:
        refused(lab, user, "wrong", "bad_userpass")


@behaviour
def failures_take_the_same_time_whatever_was_wrong(lab):
    cases = {"wrong": ("alice", "wrong"), "unknown": ("who", "wrong"),
             "expired": ("expired", lab.pam.passwords["expired"]),
             "no name": ("a@b", "wrong")}
    seconds = {name: [] for name in cases}

    def one(name):
        seconds[name].append(login(lab, *cases[name]).seconds)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, list(cases) * 20))
    shortest = min(min(values) for values in seconds.values())
    expect(shortest > DELAY * 0.74, f"one took {shortest:.3f} s")
    middles = {name: statistics.median(values)
               for name, values in seconds.items()}
    # Drawn from half the delay's width: tests/long/password_guessing
    # looks closer.
    expect(max(middles.values()) - min(middles.values()) < DELAY * 0.4,
           f"the medians differ: {middles}")


# Helpers that die

@behaviour
def a_checker_that_dies_is_a_failure_like_others(lab):
    lab.gateway.settings["password"]["service"] = "hostile"
    lab.gateway.write_settings()
    lab.gateway.reload()
    try:
        with begin(lab) as client:
            name = client.name
            client.send(message("sleep=60", "secret"))
            time.sleep(0.5)
            lab.gateway.kill("password-checker")
            expect_equal(client.read_to_end(), FAILED, "what came")
        expect_equal(lab.audit.wait_for(client=name, event="auth")["reason"],
                     "checker_lost", "the reason")
        refused(lab, "crash", "secret", "checker_lost")

        def works():
            return login(lab, "honest", "secret").reply == PROVED
        wait_until(works, "logins work again")
        done = refused(lab, "sleep=60", "secret", "checker_timeout",
                       timeout=30)
        expect(done.seconds < 14, f"it took {done.seconds:.1f} s")
    finally:
        lab.gateway.settings["password"]["service"] = "unix"
        lab.gateway.write_settings()
        lab.gateway.reload()


@behaviour(pam=True, entries=RULES, settings={
    **settings("hostile"),
    "session": {"handshake_timeout": 3}})
def a_login_that_outlasts_the_handshake_fails_at_its_end(lab):
    with begin(lab) as client:
        name = client.name
        client.send(message("sleep=60", "secret"))
        expect_equal(client.read_to_end(), FAILED, "what came")
    record = lab.audit.wait_for(client=name, event="auth")
    expect_equal(record["reason"], "handshake_timeout", "the reason")
    expect_equal(record["claimed"], "sleep=60@pam", "the claim")


# Rules

@behaviour
def rules_tell_passwords_from_tickets(lab):
    places = {last: served_by(lab, f"10.77.0.{last}")
              for last in [80, 81, 82, 83]}

    def with_password(last):
        with begin(lab) as client:
            client.send(message("alice", lab.pam.passwords["alice"]))
            client.read(2)
            client.granted = 0
            try:
                client.ask(places[last].address, places[last].port)
                return 0
            except Refused as refusal:
                return refusal.args[0]

    def with_ticket(last):
        with Client(lab) as client:
            try:
                client.connect(places[last].address, places[last].port)
                return 0
            except Refused as refusal:
                return refusal.args[0]
    expect_equal({last: (with_password(last), with_ticket(last))
                  for last in places},
                 # No entry has the principal alice@pam.
                 {80: (0, 2), 81: (2, 0), 82: (2, 0), 83: (2, 0)},
                 "replies by password and by ticket")


@behaviour(pam=True, entries=RULES, settings=settings(realm="EXAMPLE.COM"))
def a_realm_can_make_them_the_same_people(lab):
    acceptor = served_by(lab, "10.77.0.83")
    with begin(lab) as client:
        name = client.name
        client.send(message("alice", lab.pam.passwords["alice"]))
        client.read(2)
        client.granted = 0
        client.ask(acceptor.address, acceptor.port)
    record = lab.audit.wait_for(client=name, event="decision")
    expect_equal((record["identity"], record["rule"], record["method"]),
                 ("alice@EXAMPLE.COM", "staff", "password"), "the decision")


# Where they are taken

YARD = "10.99.0.1"


@behaviour(pam=True, entries=RULES, settings={
    **settings(allow_cleartext=[f"{YARD}/32"]),
    "listener yard": {"address": f"{YARD}:10811",
                      "methods": ["gssapi", "password"]}})
def in_clear_only_from_this_host_or_where_the_settings_say_so(lab):
    right = lab.pam.passwords["alice"]
    expect_equal(login(lab, "alice", right, listener="yard",
                       source=YARD).reply, PROVED, "from a named network")
    with Client(lab, listener="yard", source="127.0.0.7") as client:
        name = client.name
        client.send(bytes([5, 2, 0, PASSWORD]) + message("alice", right))
        expect_equal(client.read_to_end(), b"\5\xff", "from elsewhere")
    expect_equal(lab.audit.wait_for(client=name, event="close")["reason"],
                 "password_not_allowed", "the reason")
    with Client(lab, listener="yard", source="127.0.0.7") as client:
        expect_equal(client.greet((PASSWORD, 1)), 1, "the method chosen")
    expect_equal(login(lab, "alice", right).reply, PROVED, "on this host")


# Budgets

@behaviour(pam=True, entries=RULES,
           settings={**pam.settings("faillock"), "password": {
               "service": "faillock", "service_dir": None,
               "failure_delay": 0}})
def nobody_locks_an_account_or_keeps_its_owner_out(lab):
    def guess(n):
        return login(lab, "bob", f"guess-{n}", source="127.0.0.5")
    # Of two first failures at the same moment pam_faillock forgets one: to
    # each its file is new.
    done = [guess(0)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done += pool.map(guess, range(1, 300))
    expect_equal({one.reply for one in done}, {FAILED}, "the replies")
    reasons = [one.record["reason"] for one in done]
    expect_equal({reason: reasons.count(reason) for reason in set(reasons)},
                 {"password_wrong": 2, "rate_limited": 298}, "the reasons")
    # PAM's own count; three would lock the account.
    tally = lab.pam.faillock("--user", "bob")
    expect_equal(tally.count(" RHOST 127.0.0.5 "), 2, f"the tally:\n{tally}")
    # The owner comes from elsewhere; the one who guesses has the right
    # password now and does not even notice.
    right = lab.pam.passwords["bob"]
    expect_equal(login(lab, "bob", right, source="127.0.0.6").reply, PROVED,
                 "the owner's reply")
    expect_equal(login(lab, "bob", right, source="127.0.0.5").record["reason"],
                 "rate_limited", "the right guess")
    # Others behind that address are not meant.
    expect_equal(login(lab, "alice", lab.pam.passwords["alice"],
                       source="127.0.0.5").reply, PROVED, "alice's reply")


@behaviour(pam=True, entries=RULES, settings=settings(
    failure_delay=100, failure_delay_max=800, pair_refill=3000,
    name_refill=2000))
def failing_again_takes_longer(lab):
    for _ in range(28):
        login(lab, "alice", "wrong", source="127.0.0.5")
    slow = login(lab, "alice", "wrong", source="127.0.0.5").seconds
    expect(slow > 0.59, f"after 28 failures it took {slow:.2f} s")


@behaviour(pam=True, entries=RULES, settings={
    **settings(), "audit": {"failed_names": False}})
def names_of_failures_can_be_left_out(lab):
    done = refused(lab, "a-password-by-mistake", "x", "user_unknown")
    expect_equal(done.record.get("claimed"), None, "the claim")
    expect("a-password-by-mistake" not in str(lab.audit.records()),
           "the name is in the records")
