# SPDX-License-Identifier: ISC
"""Rules in the directory decide, the moment they are there."""

import threading
import time

from tests.lab.decisions import (after, changed, outcome, removed,
                                 set_rule)
from tests.lab.process import wait_until
from tests.lab.slapd import (GROUPS, RULES, destinations, group, group_dn,
                             rule, user_dn)
from tests.lab.socks import Client, Closed, Refused
from tests.lab.suite import behaviour, expect, expect_equal

LAB = {"settings": {"listener other": {}}}


def permitted(lab, host, wanted_rule, **options):
    reply, record = outcome(lab, host, **options)
    expect(reply in (0, 5), f"reply {reply} for {host}: {record}")
    expect_equal(record["outcome"], "ok", "outcome")
    expect_equal(record["rule"], wanted_rule, "rule")
    return record


def denied(lab, host, reason, wanted_rule=None, **options):
    reply, record = outcome(lab, host, **options)
    expect_equal((reply, record["outcome"], record["reason"]),
                 (2, "fail", reason), f"decision for {host}")
    if wanted_rule:
        expect_equal(record["rule"], wanted_rule, "rule")
    return record


@behaviour
def nested_members_of_a_group_are_permitted(lab):
    permitted(lab, "10.77.0.80", "staff", user="alice")
    permitted(lab, "fd77::80", "staff", user="carol")
    permitted(lab, "www.example.com", "staff", user="alice")


@behaviour
def who_is_in_no_group_of_a_rule_is_denied(lab):
    denied(lab, "10.77.0.80", "denied_no_rule", user="mallory")
    denied(lab, "www.example.com", "denied_no_rule", user="mallory")


@behaviour
def a_deny_rule_that_is_asked_first_wins(lab):
    denied(lab, "10.77.9.9", "denied_rule", "forbidden", user="alice")


@behaviour
def a_name_is_written_in_many_ways_and_is_one(lab):
    for name in ["WWW.Example.COM", "www.example.com.", "wWw.example.com"]:
        record = permitted(lab, name, "staff")
        expect_equal(record["asked"], name, "as asked")
        expect_equal(record["destination"], "www.example.com:9",
                     "normalised")
    denied(lab, "PAYROLL.example.com.", "denied_rule", "forbidden")


@behaviour
def a_rule_may_demand_confidentiality(lab):
    permitted(lab, "10.77.0.80", "contractors", user="bob", level=2)
    denied(lab, "10.77.0.80", "denied_no_rule", user="bob", level=1)
    denied(lab, "10.77.0.80", "denied_no_rule", user="bob", level=3)


@behaviour
def a_rule_that_is_added_or_removed_takes_effect(lab):
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory")
    changed(lab, rule("for-mallory", gwPrincipal="mallory@EXAMPLE.COM",
                      gwDestination="10.77.0.5", gwPort="9"))
    permitted(lab, "10.77.0.5", "for-mallory", user="mallory")
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory", port=10)
    removed(lab, "for-mallory")
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory")


@behaviour
def each_condition_of_a_rule_narrows_it(lab):
    changed(lab, rule("narrow", gwUser=user_dn("mallory"),
                      gwDestination="10.77.0.6", gwPort=["9", "20-29"]))
    permitted(lab, "10.77.0.6", "narrow", user="mallory", port=25)
    denied(lab, "10.77.0.6", "denied_no_rule", user="mallory", port=30)
    denied(lab, "10.77.0.7", "denied_no_rule", user="mallory")
    for attribute, right, wrong in [
            ("gwListener", "main", "other"),
            ("gwClient", "127.0.0.0/8", "10.0.0.0/8"),
            ("gwMethod", "gssapi", "password"),
            ("gwCommand", "connect", "bind"),
            ("gwProtection", "confidentiality", None),
            ("gwEnabled", "TRUE", "FALSE")]:
        if wrong:
            changed(lab, set_rule(lab, "narrow", attribute, wrong))
            denied(lab, "10.77.0.6", "denied_no_rule", user="mallory")
        changed(lab, set_rule(lab, "narrow", attribute, right))
        permitted(lab, "10.77.0.6", "narrow", user="mallory")
    denied(lab, "10.77.0.6", "denied_no_rule", user="mallory",
           listener="other")
    removed(lab, "narrow")


@behaviour
def a_set_matches_destination_and_port_together(lab):
    changed(lab, destinations("databases", gwDestination=[
        "10.77.0.8", "db.example.com"], gwPort="5432") +
        rule("to-databases", gwPrincipal="*@EXAMPLE.COM",
             gwDestinationSet=f"cn=databases,{RULES}"))
    permitted(lab, "10.77.0.8", "to-databases", user="mallory", port=5432)
    denied(lab, "10.77.0.8", "denied_no_rule", user="mallory", port=5433)
    removed(lab, "to-databases")


@behaviour
def a_change_of_membership_takes_effect_when_the_cache_ends(lab):
    denied(lab, "10.77.0.80", "denied_no_rule", user="mallory")
    lab.slapd.modify(f"dn: cn=staff,{GROUPS}\nchangetype: modify\n"
                     f"add: member\nmember: {user_dn('mallory')}\n")
    wait_until(lambda: outcome(lab, "10.77.0.80", user="mallory")[0] != 2,
               "mallory is staff", 8, 0.3)
    lab.slapd.modify(f"dn: cn=staff,{GROUPS}\nchangetype: modify\n"
                     f"delete: member\nmember: {user_dn('mallory')}\n")
    wait_until(lambda: outcome(lab, "10.77.0.80", user="mallory")[0] == 2,
               "mallory is staff no more", 8, 0.3)


@behaviour
def a_rule_set_with_a_mistake_is_refused_as_a_whole(lab):
    for attribute, value in [("gwDestination", "10.77.0.9/33"),
                             ("gwDestination", "010.77.0.9"),
                             ("gwPort", "99999"), ("gwPort", "9-1"),
                             ("gwClient", "somewhere")]:
        rows = {"gwDestination": "10.77.0.9", attribute: value}
        record = after(
            lab, lambda: lab.slapd.modify(rule("wrong", **rows)), "fail")
        expect(f"cn=wrong,{RULES}".lower() in record["detail"].lower(),
               f"the DN in {record['detail']!r}")
        permitted(lab, "10.77.0.80", "staff", user="alice")
        removed(lab, "wrong")


WIDE = (rule("everywhere", gwDestination=["*", "0.0.0.0/0", "::/0"]) +
        rule("one-network", gwOrder=1, gwDestination="127.0.0.80/32"))
OWN = ["10.99.0.1", "fd99::1"]


def gateway_port(lab):
    return lab.listeners["main"][1]


@behaviour(entries=WIDE, settings={"resolver": {"ttl_min": 0}})
def special_addresses_are_closed_unless_a_rule_names_a_network(lab):
    permitted(lab, "127.0.0.80", "one-network")
    permitted(lab, "10.77.0.80", "everywhere")
    port = gateway_port(lab)
    for host in ["127.0.0.1", "127.0.0.81", "0.0.0.0", "0.1.2.3",
                 "169.254.1.1", "169.254.169.254", "100.100.100.200",
                 "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
                 "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254",
                 "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
                 "64:ff9b:1::7f00:1", "2002:7f00:1::",
                 "2001:0:7f00:1::1", "::ffff:169.254.169.254", *OWN]:
        denied(lab, host, "denied_special", port=port)
    # As a name, too.
    for number, host in enumerate(["127.0.0.1", "169.254.169.254", "::1",
                                   *OWN]):
        name = f"special{number}.example.com"
        lab.names.table[name] = [host]
        denied(lab, name, "denied_special", port=port)


@behaviour(entries=WIDE, settings={"resolver": {"ttl_min": 0,
                                                "negative_ttl": 0}})
def rebinding_never_reaches_loopback(lab):
    """What is judged is what is dialled, whatever the next answer says."""
    bait = lab.target(address="127.0.0.1")
    good = lab.target(address="10.77.0.80", port=bait.port)
    answers = []

    def alternate(_, kind):
        if kind != 1:
            return []
        answers.append("10.77.0.80" if len(answers) % 2 else "127.0.0.1")
        return answers[-1:]

    lab.names.table["rebind.example.com"] = alternate
    lab.names.ttl = 0
    replies = []

    def many():
        for _ in range(100):
            with Client(lab) as client:
                client.ready()
                try:
                    client.ask("rebind.example.com", bait.port)
                    replies.append(0)
                except Refused as refusal:
                    replies.append(refusal.args[0])

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect_equal(len(replies), 400, "answers")
    expect(len(answers) > 100, f"{len(answers)} answers, not one for all")
    expect_equal(set(replies), {0, 2}, "replies")
    expect_equal(bait.connections, 0, "connections to loopback")
    expect(good.connections > 0, "connections to the good address")


STRANGE = ["*", "a)(krbPrincipalName=*", "%s", "%p%u%r", "..", "../../x",
           "#x", "a,b", "a+b", "a=b", "a;b", "<a>", 'a"b']


@behaviour
def strange_principals_are_searched_as_they_are(lab):
    """No name becomes part of a filter's structure."""
    def kadmin_quote(name):
        return '"' + name.replace("\\", "\\\\").replace('"', '""') + '"'

    lab.realm.kadmin(*[f"addprinc -pw x {kadmin_quote(name)}"
                       for name in STRANGE])
    before = len(lab.slapd.searches())
    for name in STRANGE:
        called = f"strange{STRANGE.index(name)}"
        lab.tickets[called] = lab.realm.kinit(
            name, "x", f"{lab.directory}/cc.{called}")
        record = denied(lab, "10.77.0.80", "denied_no_rule", user=called)
        expect("EXAMPLE.COM" in record["identity"], "identity")
    searches = [text for text in lab.slapd.searches()[before:]
                if "krbPrincipalName" in text]
    for text in searches:
        expect(text.startswith("(krbPrincipalName=") and
               text.count("(") == 1, f"one simple filter: {text}")


@behaviour(settings={"directory": {"groups_max": 5000}})
def a_user_may_be_in_very_many_groups(lab):
    lab.slapd.modify("".join(group(f"crowd{i}", user_dn("mallory"))
                             for i in range(700)))
    lab.slapd.modify("dn: olcDatabase={-1}frontend,cn=config\n"
                     "changetype: modify\nreplace: olcSizeLimit\n"
                     "olcSizeLimit: 10000\n", bind="cn=config")
    changed(lab, rule("crowd", gwGroup=group_dn("crowd699"),
                      gwDestination="10.77.0.80"))
    permitted(lab, "10.77.0.80", "crowd", user="mallory")


@behaviour
def groups_whose_names_begin_alike_are_not_confused(lab):
    lab.slapd.modify(group("admins", user_dn("alice")) +
                     group("admins2", user_dn("mallory")) +
                     group("admin", user_dn("bob")))
    changed(lab, rule("admins", gwOrder=1, gwGroup=group_dn("admins"),
                      gwDestination="10.77.0.70"))
    time.sleep(2.5)  # what the cache knows of alice ends
    permitted(lab, "10.77.0.70", "admins", user="alice")
    denied(lab, "10.77.0.70", "denied_no_rule", user="mallory")
    denied(lab, "10.77.0.70", "denied_no_rule", user="bob", level=1)


@behaviour
def every_new_session_sees_one_whole_rule_set(lab):
    """Rules change to and fro while sessions come: each is judged by the old
    or by the new set, never by a mixture."""
    stop, wrong, seen = threading.Event(), [], set()

    def clients():
        while not stop.is_set():
            try:
                _, record = outcome(lab, "10.77.0.60", user="mallory")
            except (Closed, AssertionError) as error:
                wrong.append(error)
                return
            seen.add(record["generation"])
            if record.get("rule") not in (None, "pair-a", "pair-b"):
                wrong.append(record)

    thread = threading.Thread(target=clients)
    thread.start()
    try:
        for _ in range(3):
            changed(lab, rule("pair-a", gwPrincipal="mallory@EXAMPLE.COM",
                              gwDestination="10.77.0.60"))
            removed(lab, "pair-a")
    finally:
        stop.set()
        thread.join()
    expect(not wrong, f"{wrong[:3]}")
    expect(len(seen) > 1, "several generations judged")
