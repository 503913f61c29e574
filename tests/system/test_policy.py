# SPDX-License-Identifier: ISC
"""Rules in the directory decide, the moment they are there."""

import threading

from tests.lab.decisions import changed, removed
from tests.lab.slapd import RULES, group, group_dn, rule, user_dn
from tests.lab.socks import Client, Refused
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.worlds_policy import denied, permitted
from tests.lab.worlds_policy import *  # noqa: F401,F403  (its behaviours)

LAB = {"settings": {"listener other": {}}}


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


def lint(lab, *arguments, status=1):
    """{(kind, name, value): the rules before it} of what lint finds."""
    document = lab.gateway.ctl_json("policy", "lint", *arguments,
                                    status=status)
    return document, {
        (found["kind"], found["name"], found.get("value")): found["by"]
        for found in document["findings"]}


@behaviour
def lint_finds_what_can_never_match_and_what_is_not_there(lab):
    _, before = lint(lab, status=0)
    changed(lab, rule("first", gwOrder=1, gwPrincipal="*@EXAMPLE.COM",
                      gwDestination="*.example.com", gwPort="1-1000") +
            rule("never", gwPrincipal="alice@EXAMPLE.COM", gwPort="443",
                 gwDestination="www.example.com") +
            rule("over", gwDestination="10.77.0.9", gwPort="9",
                 gwNotAfter="20200101000000Z") +
            rule("lost", gwGroup=[group_dn("staff"), group_dn("ghosts")],
                 gwUser=user_dn("nobody"), gwListener=["main", "gone"],
                 gwDestination=["nowhere.example.com"], gwPort="9"))
    document, found = lint(lab)
    new = {key: by for key, by in found.items() if key not in before}
    expect_equal(new, {
        ("shadowed", "never", None): ["first"],
        ("expired", "over", None): [],
        ("no_group", "lost", group_dn("ghosts").lower()): [],
        ("no_user", "lost", user_dn("nobody").lower()): [],
        ("no_listener", "lost", "gone"): [],
        ("no_name", "lost", "nowhere.example.com"): [],
    }, "what lint finds")
    expect_equal(document["not_looked_at"], [], "what it could not ask")
    _, there = lint(lab, "--base", RULES)
    expect_equal(set(there), set(found), "what it finds below the base")
    for name in ["first", "never", "over", "lost"]:
        removed(lab, name)


@behaviour
def lint_takes_a_file_without_a_gateway(lab):
    path = f"{lab.directory}/lint.ldif"
    with open(path, "w") as out:
        out.write(rule("a", "deny", gwDestination="*") +
                  rule("b", gwGroup=group_dn("ghosts"), gwDestination="*"))
    document, found = lint(lab, path)
    expect_equal(found, {("shadowed", "b", None): ["a"]}, "without a gateway")
    expect("--ask" in document["not_looked_at"][0], "it says what is left out")
    _, found = lint(lab, "--ask", path)
    expect(("no_group", "b", group_dn("ghosts").lower()) in found,
           f"what the gateway knows: {found}")
    with open(path, "a") as out:
        out.write(rule("c", gwDestination="*", gwPort="0") +
                  rule("d", gwDestination="no/name"))
    said = lab.gateway.ctl("policy", "lint", path, status=65)
    expect("gwPort" in said and "no/name" in said, f"all that is bad: {said}")
