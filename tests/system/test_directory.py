# SPDX-License-Identifier: ISC
"""The directory: each way to it, and what happens while it is away."""

import os
import time

from tests.lab import slapd
from tests.lab.failures import Garbage, last_rules_hold
from tests.lab.process import wait_until
from tests.lab.slapd import RULES, rule
from tests.lab.socks import Client, Refused
from tests.lab.suite import behaviour, expect, expect_equal

LONG = True


def reply_for(lab, host="10.77.0.80", user="alice", **options):
    with Client(lab, user=user, **options) as client:
        name = client.name
        client.ready()
        try:
            client.ask(host, 9)
            reply = 0
        except Refused as refusal:
            reply = refusal.args[0]
    lab.audit.wait_for(client=name, event="close")
    return reply


def explained(lab, user, age):
    """The decision, its reason, and whether the rules are of that age."""
    says = lab.gateway.ctl_json(
        "explain", f"{user}@EXAMPLE.COM", "connect", "10.77.0.80:9")
    return (says["decision"]["decision"], says["decision"]["reason"],
            says["policy"][age])


def works(lab):
    expect_equal(reply_for(lab), 5, "a permitted request (nobody listens)")
    expect_equal(reply_for(lab, user="mallory"), 2, "a denied request")


# Ways to it

@behaviour
def start_tls_and_a_simple_bind(lab):
    works(lab)


def reconfigured(lab, **directory):
    """The gateway, started again with other settings."""
    lab.gateway.stop()
    rows = lab.gateway.settings["directory"]
    rows.update(directory)
    for name in [n for n, value in rows.items() if value is None]:
        del rows[name]
    lab.gateway.write_settings()
    since = len(lab.audit.records())
    lab.gateway.start()
    return since


def reloaded(lab, since, outcome="ok", seconds=10):
    return wait_until(
        lambda: [record for record in lab.audit.records()[since:]
                 if record["event"] == "reload" and
                 record["outcome"] == outcome],
        f"rules are loaded ({outcome})", seconds)[0]


@behaviour(start=False)
def each_kind_of_uri_and_of_bind_works(lab):
    lab.start()
    for change in [
            {"uri": [lab.slapd.tls_uri]},
            {"uri": [lab.slapd.ipc_uri]},
            {"uri": [lab.slapd.tls_uri], "bind": "gssapi", "bind_dn": None,
             "password_file": None,
             "client_keytab": lab.directory_keytab},
            {"uri": [lab.slapd.uri],
             "client_principal": "gatewarden/gw.example.com@EXAMPLE.COM"}]:
        since = reconfigured(lab, **change)
        reloaded(lab, since)
        works(lab)


@behaviour(start=False)
def the_next_uri_serves_when_one_is_dead(lab):
    rows = lab.gateway.settings["directory"]
    rows["uri"] = ["ldap://127.0.0.1:1", "ldap://127.0.0.2:1", *rows["uri"]]
    lab.gateway.write_settings()
    lab.start()
    works(lab)


def never_loads(lab, seconds=4):
    lab.gateway.start()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        expect(not lab.audit.find(event="reload", outcome="ok"),
               "no rules were taken")
        time.sleep(0.1)
    expect_equal(reply_for(lab), 2, "a request without rules")
    lab.audit.wait_for(event="decision", reason="policy_unavailable")


@behaviour(start=False)
def a_certificate_for_another_host_is_refused(lab):
    lab.slapd.use_certificate("other")
    never_loads(lab)
    expect(lab.audit.find(event="dependency", outcome="fail"),
           "the directory's absence is on record")


@behaviour(start=False)
def a_certificate_of_another_authority_is_refused(lab):
    # The server's own certificate is no authority.
    lab.gateway.settings["directory"]["ca_file"] = \
        f"{lab.slapd.tls}/other.pem"
    lab.gateway.write_settings()
    never_loads(lab)


@behaviour(start=False)
def a_server_without_start_tls_gets_no_password(lab):
    lab.slapd.forget_certificates()
    never_loads(lab)
    with open(lab.slapd.program.log, errors="replace") as log:
        binds = [line for line in log if "BIND dn=" in line and
                 slapd.READER in line]
    expect_equal(binds, [], "binds over a clear connection")


@behaviour(start=False)
def a_wrong_password_loads_nothing(lab):
    with open(lab.slapd.password_file, "w") as out:
        out.write("wrong\n")
    never_loads(lab)


@behaviour(start=False)
def an_empty_password_is_never_sent(lab):
    with open(lab.slapd.password_file, "w") as out:
        out.write("\n")
    lab.gateway.start(ready=False)
    time.sleep(3)
    expect(not lab.audit.find(event="reload", outcome="ok"), "no rules")
    with open(lab.slapd.program.log, errors="replace") as log:
        expect(slapd.READER not in log.read(), "no bind was tried")


# Rules in a file

@behaviour(start=False)
def rules_in_a_file_serve_without_a_directory(lab):
    path = f"{lab.directory}/rules.ldif"
    with open(path, "w") as out:
        out.write("version: 1\n\n" + rule(
            "from-file", gwPrincipal="alice@EXAMPLE.COM",
            gwDestination=["10.77.0.0/16", "*.example.com"]))
    os.chmod(path, 0o644)
    lab.slapd.stop()
    lab.gateway.settings["policy"] = {"file": path}
    del lab.gateway.settings["directory"]
    lab.gateway.write_settings()
    lab.start()
    works(lab)
    record = lab.audit.wait_for(event="decision", outcome="ok")
    expect_equal(record["rule"], "from-file", "rule")


@behaviour(start=False)
def a_file_that_refers_to_other_files_is_refused(lab):
    path = f"{lab.directory}/rules.ldif"
    secret = f"{lab.directory}/secret"
    with open(secret, "w") as out:
        out.write("permit")
    with open(path, "w") as out:
        out.write(f"dn: cn=x,{RULES}\nobjectClass: gwRule\ncn: x\n"
                  f"gwAction:< file://{secret}\n"
                  "gwDestination: 10.77.0.80\n")
    lab.gateway.settings["policy"] = {"file": path}
    del lab.gateway.settings["directory"]
    lab.gateway.write_settings()
    never_loads(lab)


# Away

@behaviour
def a_directory_that_dies_is_outlived(lab):
    works(lab)
    since = len(lab.audit.records())
    lab.slapd.kill()
    wait_until(lambda: [r for r in lab.audit.records()[since:]
                        if r["event"] == "dependency" and
                        r["outcome"] == "fail"], "its absence is on record")
    # Users that are known are judged as before; the record says stale.
    expect_equal(reply_for(lab), 5, "a known user")
    record = lab.audit.find(event="decision", outcome="ok")[-1]
    expect_equal(record.get("stale"), "1", "stale")
    expect_equal(explained(lab, "alice", "stale"), ("permit", "ok", True),
                 "as it is explained")
    # A user that was never seen cannot be judged by groups, and is denied.
    expect_equal(reply_for(lab, user="carol"), 2, "an unknown user")
    expect_equal(lab.audit.find(event="decision")[-1]["reason"],
                 "directory_unavailable", "reason")
    expect_equal(explained(lab, "carol", "stale"),
                 ("deny", "directory_unavailable", True), "as explained")
    lab.slapd.start()
    wait_until(lambda: [r for r in lab.audit.records()[since:]
                        if r["event"] == "dependency" and
                        r["outcome"] == "ok"], "its return is on record")
    wait_until(lambda: reply_for(lab, user="carol") == 5,
               "carol is judged again", 10, 0.3)
    expect("stale" not in lab.audit.find(event="decision")[-1], "not stale")


@behaviour
def a_directory_that_hangs_is_outlived(lab):
    works(lab)
    lab.slapd.program.pause()
    try:
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            start = time.monotonic()
            expect_equal(reply_for(lab), 5, "a known user")
            expect(time.monotonic() - start < 10, "in time")
    finally:
        lab.slapd.program.resume()


@behaviour
def rules_from_the_disk_serve_a_start_without_the_directory(lab):
    works(lab)
    lab.slapd.kill()
    lab.gateway.stop()
    since = len(lab.audit.records())
    lab.gateway.start()
    reloaded(lab, since)
    # Rules without groups decide; the group rules deny.
    expect_equal(reply_for(lab, "10.77.9.9"), 2, "the deny rule")
    denial = lab.audit.find(event="decision")[-1]
    expect_equal((denial["reason"], denial.get("rule")),
                 ("denied_rule", "forbidden"), "judged by rules")
    expect_equal(reply_for(lab), 2, "a rule that needs groups")
    expect_equal(lab.audit.find(event="decision")[-1]["reason"],
                 "directory_unavailable", "reason")
    lab.slapd.start()
    wait_until(lambda: reply_for(lab) == 5, "groups are known again", 15, 0.3)


@behaviour(start=False)
def without_rules_everything_is_denied(lab):
    lab.slapd.stop()
    lab.gateway.start()
    expect_equal(reply_for(lab), 2, "a request")
    lab.audit.wait_for(event="decision", reason="policy_unavailable")
    lab.slapd.start()
    lab.audit.wait_for(event="reload", outcome="ok", seconds=20)
    works(lab)


@behaviour(settings={"policy": {"stale_max": 3}})
def rules_that_are_too_old_deny(lab):
    works(lab)
    with last_rules_hold(lab):
        lab.slapd.kill()
        wait_until(lambda: reply_for(lab, "10.77.0.80") == 2, "denied", 15,
                   0.5)
        lab.audit.wait_for(event="decision", reason="policy_unavailable",
                           identity="alice@EXAMPLE.COM")
        expect_equal(explained(lab, "alice", "expired"),
                     ("deny", "policy_unavailable", True), "as explained")
        lab.slapd.start()
        wait_until(lambda: reply_for(lab) == 5, "permitted again", 20)


@behaviour(settings={"directory": {"timeout": 1}}, start=False)
def a_directory_that_answers_garbage_is_outlived(lab):
    lab.gateway.settings["directory"]["uri"] = [lab.slapd.tls_uri]
    lab.gateway.write_settings()
    lab.start()
    works(lab)
    with last_rules_hold(lab):
        lab.slapd.stop()
        since = len(lab.audit.records())
        garbage = Garbage(lab.slapd.tls_port, lab.slapd.tls)
        wait_until(garbage.were_all_met, "each kind was met", 30)
        expect_equal(reply_for(lab), 5, "what is known of alice")
        expect([r for r in lab.audit.records()[since:]
                if r["event"] == "dependency" and r["outcome"] == "fail"],
               "its absence is on record")
        expect(not [r for r in lab.audit.records()[since:]
                    if r["event"] == "reload"], "no rules were taken")
        garbage.close()
        lab.slapd.start()
        wait_until(lambda: [r for r in lab.audit.records()[since:]
                            if r["event"] == "dependency" and
                            r["outcome"] == "ok"], "its return is on record",
                   20)
    works(lab)


# Two sets are read in a second, so that one of them may be the first half of
# this change; what comes last is empty.
@behaviour
def an_empty_rule_set_counts_as_a_failure(lab):
    works(lab)
    since = len(lab.audit.records())
    for cn in ["forbidden", "contractors"]:
        lab.slapd.delete(f"cn={cn},{RULES}")
    reloaded(lab, since)
    time.sleep(1.5)
    since = len(lab.audit.records())
    lab.slapd.delete(f"cn=staff,{RULES}")
    wait_until(lambda: [r for r in lab.audit.records()[since:]
                        if r["event"] in ("reload", "dependency") and
                        r["outcome"] == "fail"], "the refusal is on record")
    expect_equal(reply_for(lab), 5, "judged by the last rules that were any")
