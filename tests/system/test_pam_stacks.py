# SPDX-License-Identifier: ISC
"""Names and passwords (RFC 1929) against PAM stacks as sites have them, and
against a module that misbehaves."""

import concurrent.futures
import os
import time

from tests.lab import pam
from tests.lab.passwords import login
from tests.lab.process import children, wait_until
from tests.lab.slapd import rule
from tests.lab.suite import behaviour, expect, expect_equal

NEEDS_ROOT = True

LAB = {
    "pam": True,
    "entries": rule("passwords", gwMethod="password", gwDestination="*"),
    "settings": pam.settings(service="unix"),
}

DENIED = b"\1\1"


def use(lab, service):
    """The service that checks passwords from now on."""
    lab.gateway.settings["password"]["service"] = service
    lab.gateway.write_settings()
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")


def expect_login(lab, user, password, reason="ok"):
    done = login(lab, user, password)
    expect_equal(done.record["reason"], reason, f"{user}'s login")
    expect_equal(done.reply == b"\1\0", reason == "ok", "the reply's success")
    if reason != "ok":
        expect_equal(done.reply, DENIED, "the reply")
    return done


def logins(lab):
    """The processes below the checker: logins, and what those left."""
    return children(lab.gateway.pids("password-checker")[0])


def runs(pid):
    """Is there such a process that has not ended?"""
    try:
        with open(f"/proc/{pid}/stat") as source:
            return source.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Stacks

@behaviour
def users_of_this_host_by_pam_unix(lab):
    use(lab, "unix")
    done = expect_login(lab, "alice", lab.pam.passwords["alice"])
    expect(done.record["identity"].startswith("alice@"),
           f"the identity: {done.record['identity']}")
    expect_login(lab, "alice", "wrong", "password_wrong")
    expect_login(lab, "nobody-here", "wrong", "user_unknown")
    expect_login(lab, "expired", lab.pam.passwords["expired"],
                 "account_expired")
    expect_login(lab, "stale", lab.pam.passwords["stale"], "password_expired")
    expect_login(lab, "locked", "!", "password_wrong")


@behaviour
def the_service_that_is_shipped_works(lab):
    use(lab, "gatewarden")
    expect_login(lab, "alice", lab.pam.passwords["alice"])
    expect_login(lab, "alice", "wrong", "password_wrong")


@behaviour
def pam_faillock_locks_after_three_and_says_so_to_nobody(lab):
    use(lab, "faillock")
    right = lab.pam.passwords["bob"]
    expect_login(lab, "bob", right)
    for _ in range(3):
        expect_login(lab, "bob", "wrong", "password_wrong")
    expect_login(lab, "bob", right, "password_wrong")
    expect_login(lab, "alice", lab.pam.passwords["alice"])
    tally = lab.pam.faillock("--user", "bob")
    expect_equal(tally.count(" RHOST 127.0.0.1 "), 3, f"the tally:\n{tally}")
    lab.pam.faillock("--user", "bob", "--reset")
    expect_login(lab, "bob", right)


@behaviour
def a_kdc_by_pam_krb5_that_must_know_our_host(lab):
    lab.pam.join_realm(lab.realm)
    lab.realm.add_user("keeper", "keeper-krb-secret")
    lab.realm.add_user("changer", "changer-krb-secret", "+needchange")
    use(lab, "krb5")
    expect_login(lab, "keeper", "keeper-krb-secret")
    expect_login(lab, "keeper", "wrong", "password_wrong")
    expect_login(lab, "nobody-here", "wrong", "user_unknown")
    # It asks for a new password, which nobody gives it.
    expect_login(lab, "changer", "changer-krb-secret", "pam_conversation")
    lab.pam.leave_realm(lab.realm)
    expect_login(lab, "keeper", "keeper-krb-secret", "password_wrong")


@behaviour
def a_directory_by_pam_ldap_and_nslcd(lab):
    lab.slapd.modify(pam.posix_person("laura", 32001, "laura-ldap-secret"))
    lab.pam.start_nslcd(lab.slapd)
    use(lab, "ldap")
    expect_login(lab, "laura", "laura-ldap-secret")
    expect_login(lab, "laura", "wrong", "password_wrong")
    expect_login(lab, "nobody-here", "wrong", "user_unknown")


@behaviour
def a_directory_and_a_kdc_by_pam_sss(lab):
    lab.pam.join_realm(lab.realm)
    lab.realm.add_user("sally", "sally-krb-secret")
    lab.slapd.modify(pam.posix_person("sally", 32002, "not-this-one"))
    lab.pam.start_sssd(lab.slapd, lab.realm)
    use(lab, "sss")
    expect_login(lab, "sally", "sally-krb-secret")
    expect_login(lab, "sally", "wrong", "password_wrong")
    expect_login(lab, "nobody-here", "wrong", "user_unknown")


# A module that misbehaves

HONEST = ("honest", "secret")


def expect_quick_logins(lab, count):
    """Each with time to spare: what they must not wait for takes a minute."""
    for _ in range(count):
        start = time.monotonic()
        expect_login(lab, *HONEST)
        taken = time.monotonic() - start
        expect(taken < 5, f"a login took {taken:.1f} s")


@behaviour
def while_one_login_hangs_for_a_minute_twenty_others_succeed(lab):
    use(lab, "hostile")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(login, lab, "sleep=60", "secret", 30)
        wait_until(lambda: logins(lab), "it hangs")
        expect_quick_logins(lab, 20)
        expect(not slow.done(), "it still hangs")
        done = slow.result()
    expect_equal(done.reply, DENIED, "the reply")
    expect_equal(done.record["reason"], "checker_timeout", "the reason")


MISDEEDS = {
    "crash": "checker_lost",
    "exit=0": "checker_lost",
    "exit=9": "checker_lost",
    "scribble": "checker_lost",
    "linger": "ok",
    "bear": "ok",
    "fill": "ok",
    "leak": "ok",
    "mess": "ok",
    "inspect": "ok",
    "twice": "pam_conversation",
    "visible": "pam_conversation",
    "says=100": "pam_conversation",
    "at-once=100": "pam_conversation",
    "become=root": "user_changed",
    "account=13": "account_expired",
    "account=12": "password_expired",
    "account=6": "account_denied",
    "auth=11": "tries_exceeded",
}


@behaviour
def whatever_a_module_does_hurts_its_own_login_only(lab):
    use(lab, "hostile")
    checkers = lab.gateway.pids("password-checker")
    gateways = lab.gateway.pids("gateway")
    for user, reason in MISDEEDS.items():
        expect_login(lab, user, "secret", reason)
        expect_login(lab, *HONEST)
    expect_equal(lab.gateway.pids("password-checker"), checkers,
                 "the checkers")
    expect_equal(lab.gateway.pids("gateway"), gateways, "the gateways")
    wait_until(lambda: not logins(lab),
               "nothing is left of what modules began")


@behaviour
def what_modules_say_is_quoted_in_the_log(lab):
    use(lab, "hostile")
    expect_login(lab, "says=1", "secret")
    wait_until(lambda: "PAM says: line\\x0afeed \\x1b[31mred" in
               lab.gateway.log_text(), "it stands there")


@behaviour
def misdeeds_at_the_same_time_keep_nobody_waiting(lab):
    use(lab, "hostile")
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        bad = [pool.submit(login, lab, user, "secret", 30)
               for user in ["end-slowly", "sleep=60", *MISDEEDS]]
        expect_quick_logins(lab, 20)
        for (user, reason), done in zip(MISDEEDS.items(), bad[2:]):
            expect_equal(done.result().record["reason"], reason, user)
        for done in bad[:2]:
            expect_equal(done.result().record["reason"], "checker_timeout",
                         "one that hangs")


@behaviour
def a_checker_that_is_killed_fails_what_it_held_and_comes_back(lab):
    use(lab, "hostile")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(login, lab, "sleep=60", "secret", 30)
        (pid, _), = wait_until(lambda: logins(lab), "it hangs")
        lab.gateway.kill("password-checker")
        done = slow.result()
    expect_equal(done.reply, DENIED, "the reply")
    expect_equal(done.record["reason"], "checker_lost", "the reason")
    expect_login(lab, *HONEST)
    wait_until(lambda: not runs(pid), "its process has ended")


@behaviour
def a_service_without_a_file_is_refused(lab):
    before = lab.gateway.settings["password"]["service"]
    lab.gateway.settings["password"]["service"] = "nowhere"
    lab.gateway.write_settings()
    record = lab.gateway.reload()
    expect_equal(record["outcome"], "fail", "the reload")
    expect("nowhere" in record["detail"], record["detail"])
    use(lab, before)


@behaviour
def the_checker_is_confined_but_for_privileges(lab):
    pid = lab.gateway.pids("password-checker")[0]
    with open(f"/proc/{pid}/status") as source:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in source
                      if ":\t" in line)
    expect_equal(status["NoNewPrivs"], "0", "no_new_privs")
    for other in ["gateway", "authenticator", "auditor"]:
        with open(f"/proc/{lab.gateway.pids(other)[0]}/status") as source:
            expect("NoNewPrivs:\t1\n" in source.read(), other)
    with open(f"/proc/{pid}/limits") as source:
        core = next(line for line in source if line.startswith("Max core"))
    expect_equal(core.split()[4:6], ["0", "0"], "core files")
    with open(f"/proc/{pid}/maps") as source:
        expect("libpam.so" in source.read(), "it has libpam")
    for other in ["gateway", "authenticator", "auditor", "directory-watch",
                  "directory-lookup"]:
        with open(f"/proc/{lab.gateway.pids(other)[0]}/maps") as source:
            expect("libpam" not in source.read(), f"{other} has none")
    expect(os.stat(f"/proc/{pid}/mem").st_uid == 0, "it is root's")


@behaviour(pam=True, entries=LAB["entries"],
           settings=pam.settings(service="unix", user="64105"))
def as_another_user_than_root_it_can_ask_daemons_only(lab):
    pid = lab.gateway.pids("password-checker")[0]
    expect_equal(os.stat(f"/proc/{pid}/fd").st_uid, 0, "it is not dumpable")
    with open(f"/proc/{pid}/status") as source:
        expect("Uid:\t64105\t64105\t64105\t64105\n" in source.read(), "its user")
    # unix_chkpwd tells nobody else's password to it.
    expect_login(lab, "alice", lab.pam.passwords["alice"], "pam_error")
    lab.slapd.modify(pam.posix_person("lewis", 32003, "lewis-ldap-secret"))
    lab.pam.start_nslcd(lab.slapd)
    use(lab, "ldap")
    expect_login(lab, "lewis", "lewis-ldap-secret")
    expect_login(lab, "lewis", "wrong", "password_wrong")
