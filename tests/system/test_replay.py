# SPDX-License-Identifier: ISC
"""Decisions on record, judged again by rules that are not in force."""

import json
import subprocess

from tests.lab.decisions import outcome
from tests.lab.lab import Island, rules
from tests.lab.process import wait_until
from tests.lab.slapd import RULES, group_dn, rule, user_dn
from tests.lab.socks import Association, Client, DATAGRAM_FLAGS, Refused
from tests.lab.suite import behaviour, expect, expect_equal

HOST = Island.web
DATAGRAMS = rule("datagrams", gwGroup=group_dn("staff"), gwCommand="udp",
                 gwDestination=f"{HOST}/32")
LAB = {"entries": rules(Island) + DATAGRAMS}


def decisions_in(path):
    with open(path) as source:
        return source.read().count(' event="decision"')


def replay(lab, *words, status, log="audit.log", socket=None):
    """The document that replay prints, and what it says besides."""
    path = f"{lab.syslog.directory}/{log}"
    if log == "audit.log":  # is written after the one that the lab reads
        wanted = len(lab.audit.find(event="decision"))
        wait_until(lambda: decisions_in(path) >= wanted, "all decisions")
    done = subprocess.run(
        [f"{lab.gateway.programs}/gatewardenctl", "--socket",
         socket or lab.gateway.settings["control"]["socket"], "--json",
         "replay", *words, path],
        capture_output=True, text=True, timeout=60, env=lab.gateway.env)
    expect_equal(done.returncode, status, f"status; {done.stderr}")
    return json.loads(done.stdout), done.stderr


def candidate(lab, text):
    path = f"{lab.directory}/candidate.ldif"
    with open(path, "w") as out:
        out.write(text)
    return path


def ask_for_much(lab):
    """Requests that rules decide in all ways; how many decisions."""
    before = len(lab.audit.find(event="decision"))
    asked = [("alice", HOST, {}), ("alice", "www.example.com", {}),
             ("alice", "WWW.example.com", {}), ("alice", "fd77::80", {}),
             ("alice", "payroll.example.com", {}),
             ("alice", Island.forbidden, {}), ("bob", HOST, {"level": 2}),
             ("bob", HOST, {"level": 1}), ("mallory", HOST, {}),
             ("mallory", "www.elsewhere.example", {}),
             ("alice", "www.elsewhere.example", {}),
             ("alice", "nowhere.example.com", {}), ("alice", "127.0.0.1", {})]
    for user, host, options in asked:
        outcome(lab, host, user=user, **options)
    with Client(lab, flags=DATAGRAM_FLAGS) as client:
        association = Association(client.ready(), ("0.0.0.0", 0), None, 0)
        for host in [HOST, "www.example.com", Island.forbidden]:
            association.send(host, 9, b"datagram")
            lab.audit.wait_for(client=client.name, event="decision",
                               destination=f"{host}:9")
    return len(lab.audit.find(event="decision")) - before


@behaviour
def by_the_same_rules_nothing_changes(lab):
    count = ask_for_much(lab)
    expect(count >= 17, f"{count} decisions")
    written = f"{lab.syslog.directory}/protocol.log"  # the last of them
    wait_until(lambda: 'event="udp-summary"' in open(written).read(),
               "all records")
    found, said = replay(lab, "--base", RULES, status=0)
    again, _ = replay(lab, "--base", RULES, status=0, log="protocol.log")
    expect_equal((again["decisions"], again["judged"], again["changes"]),
                 (count, found["judged"], []), "in the protocol's form")
    expect_equal((found["decisions"], found["changes"]), (count, []),
                 "decisions and changes")
    expect_equal((found["not_judged"], found["not_by_rules"]), (0, 1),
                 f"what was not judged: {found}")
    expect_equal(found["why_not_by_rules"][0]["text"],
                 "The name does not exist or has no address.", "why")
    expect_equal((found["bad_lines"], said), (0, ""), "what is odd")


@behaviour(entries=rules(Island), settings={"audit": {"format": "rfc3164"}},
           start=False)
def traditional_logs_are_read_too(lab):
    lab.gateway.settings["audit"]["target"] = lab.syslog.target_devlog
    lab.gateway.write_settings()
    lab.gateway.start()

    def log():
        try:
            with open(f"{lab.syslog.directory}/traditional.log") as source:
                return source.read()
        except FileNotFoundError:
            return ""

    wait_until(lambda: 'event="reload"' in log(), "rules")
    with Client(lab, user="alice") as client:
        client.ready()
        try:
            client.ask("www.example.com", 9)
        except Refused:
            pass
    wait_until(lambda: 'event="close"' in log(), "the close record")
    for form in ["traditional.log", "file.log"]:
        found, _ = replay(lab, "--base", RULES, status=0, log=form)
        expect_equal((found["decisions"], found["judged"],
                      found["bad_lines"]), (1, 1, 0), form)


@behaviour
def other_rules_show_what_they_would_change(lab):
    ask_for_much(lab)
    path = candidate(lab, rule("no-names", "deny", gwOrder=1,
                               gwDestination="fd77::/64") +
                     rules(Island) + DATAGRAMS +
                     rule("mallory", gwPrincipal="mallory@EXAMPLE.COM",
                          gwDestination="*"))
    found, _ = replay(lab, "--rules", path, status=1)
    rows = {(row["identity"], row["destination"]): row
            for row in found["changes"]}
    expect_equal(set(rows), {
        ("alice@EXAMPLE.COM", "[fd77::80]:9"),
        ("mallory@EXAMPLE.COM", f"{HOST}:9"),
        ("mallory@EXAMPLE.COM", "www.elsewhere.example:9")}, "changes")
    row = rows["alice@EXAMPLE.COM", "[fd77::80]:9"]
    expect_equal(row["then"], {"decision": "permit", "reason": "ok",
                               "rule": "staff"}, "then")
    expect_equal(row["now"], {"decision": "deny", "reason": "denied_rule",
                              "rule": "no-names"}, "now")
    asked = len(lab.audit.find(event="decision", client=True,
                               destination="[fd77::80]:9"))
    expect_equal(row["count"], asked, "how often")
    # What is denied by name was not resolved: its addresses are today's.
    row = rows["mallory@EXAMPLE.COM", "www.elsewhere.example:9"]
    expect_equal((row["address"], row["now"]["rule"]), (HOST, "mallory"),
                 "by today's address")


@behaviour
def without_a_gateway_groups_are_not_known(lab):
    outcome(lab, HOST, user="alice")
    nowhere = f"{lab.directory}/nowhere"
    path = candidate(lab, rule("open", gwOrder=1,
                               gwDestination=f"{HOST}/32") + rules(Island))
    found, said = replay(lab, "--rules", path, status=1, socket=nowhere)
    expect("judging without it" in said, said)
    expect_equal([row["now"]["rule"] for row in found["changes"]
                  if row["destination"] == f"{HOST}:9" and
                  row["identity"] == "alice@EXAMPLE.COM" and
                  row["command"] == "connect"],
                 ["open"], "what needs no group")
    expect(found["not_judged"] > 0, f"{found}")
    whys = [row["text"] for row in found["why_not_judged"]]
    expect("it is not known in which groups the user is" in whys, f"{whys}")


@behaviour
def who_has_left_is_named(lab):
    outcome(lab, HOST, user="carol")
    lab.slapd.delete(user_dn("carol"))
    found, _ = replay(lab, "--base", RULES, status=1)
    expect_equal([row["text"] for row in found["unknown_users"]],
                 ["carol@EXAMPLE.COM"], "unknown users")
    expect_equal([row["identity"] for row in found["changes"]],
                 ["carol@EXAMPLE.COM"], "whose decisions would change")


@behaviour
def lines_that_were_tampered_with_are_named(lab):
    outcome(lab, HOST, user="alice")
    with open(f"{lab.syslog.directory}/audit.log") as source:
        good = [line for line in source if ' event="decision"' in line][-1]
    with open(f"{lab.syslog.directory}/bad.log", "w") as out:
        out.write("Nov 24 09:30:00 gw1 sshd[1]: " + good)
        out.write(good.replace('outcome="ok"', 'outcome="maybe"'))
        out.write(good)
    found, said = replay(lab, "--base", RULES, status=0, log="bad.log")
    expect_equal((found["lines"], found["decisions"], found["bad_lines"]),
                 (3, 1, 1), "lines, decisions, bad ones")
    expect("bad.log:2: " in said and "outcome" in said, said)
    with open(f"{lab.syslog.directory}/none.log", "w") as out:
        out.write("nothing\n")
    _, said = replay(lab, "--base", RULES, status=65, log="none.log")
    expect("no decision on record" in said, said)
