# SPDX-License-Identifier: ISC
"""What rules decide in every world: behaviours for a test file of each to
import, whose lab has a second listener, `other`."""

import threading
import time

from tests.lab.decisions import (after, changed, mallory, outcome, removed,
                                 set_rule)
from tests.lab.process import wait_until
from tests.lab.socks import Closed
from tests.lab.suite import behaviour, expect, expect_equal


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
    world = lab.slapd
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory")
    changed(lab, world.rule("for-mallory", gwPrincipal=mallory(lab),
                            gwDestination="10.77.0.5", gwPort="9"))
    permitted(lab, "10.77.0.5", "for-mallory", user="mallory")
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory", port=10)
    removed(lab, "for-mallory")
    denied(lab, "10.77.0.5", "denied_no_rule", user="mallory")


@behaviour
def each_condition_of_a_rule_narrows_it(lab):
    world = lab.slapd
    changed(lab, world.rule("narrow", gwUser=world.user_dn("mallory"),
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
    world = lab.slapd
    changed(lab, world.destinations("databases", gwDestination=[
        "10.77.0.8", "db.example.com"], gwPort="5432") +
        world.rule("to-databases", gwPrincipal=f"*@{lab.realm.realm}",
                   gwDestinationSet=world.rule_dn("databases")))
    permitted(lab, "10.77.0.8", "to-databases", user="mallory", port=5432)
    denied(lab, "10.77.0.8", "denied_no_rule", user="mallory", port=5433)
    removed(lab, "to-databases")


@behaviour
def a_change_of_membership_takes_effect_when_the_cache_ends(lab):
    world = lab.slapd
    denied(lab, "10.77.0.80", "denied_no_rule", user="mallory")
    world.join("staff", world.user_dn("mallory"))
    wait_until(lambda: outcome(lab, "10.77.0.80", user="mallory")[0] != 2,
               "mallory is staff", 8, 0.3)
    world.leave("staff", world.user_dn("mallory"))
    wait_until(lambda: outcome(lab, "10.77.0.80", user="mallory")[0] == 2,
               "mallory is staff no more", 8, 0.3)


@behaviour
def a_rule_set_with_a_mistake_is_refused_as_a_whole(lab):
    world = lab.slapd
    for attribute, value in [("gwDestination", "10.77.0.9/33"),
                             ("gwDestination", "010.77.0.9"),
                             ("gwPort", "99999"), ("gwPort", "9-1"),
                             ("gwClient", "somewhere")]:
        rows = {"gwDestination": "10.77.0.9", attribute: value}
        record = after(
            lab, lambda: world.modify(world.rule("wrong", **rows)), "fail")
        expect(world.rule_dn("wrong").lower() in record["detail"].lower(),
               f"the DN in {record['detail']!r}")
        permitted(lab, "10.77.0.80", "staff", user="alice")
        removed(lab, "wrong")


@behaviour
def groups_whose_names_begin_alike_are_not_confused(lab):
    world = lab.slapd
    world.modify(world.group("admins", world.user_dn("alice")) +
                 world.group("admins2", world.user_dn("mallory")) +
                 world.group("admin", world.user_dn("bob")))
    changed(lab, world.rule("admins", gwOrder=1, gwDestination="10.77.0.70",
                            gwGroup=world.group_dn("admins")))
    time.sleep(2.5)  # what the cache knows of alice ends
    permitted(lab, "10.77.0.70", "admins", user="alice")
    denied(lab, "10.77.0.70", "denied_no_rule", user="mallory")
    denied(lab, "10.77.0.70", "denied_no_rule", user="bob", level=1)
    removed(lab, "admins")
    for name in ["admins", "admins2", "admin"]:
        world.delete(world.group_dn(name))


@behaviour
def every_new_session_sees_one_whole_rule_set(lab):
    """Rules change to and fro while sessions come: each is judged by the old
    or by the new set, never by a mixture."""
    world = lab.slapd
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
            changed(lab, world.rule("pair-a", gwPrincipal=mallory(lab),
                                    gwDestination="10.77.0.60"))
            removed(lab, "pair-a")
    finally:
        stop.set()
        thread.join()
    expect(not wrong, f"{wrong[:3]}")
    expect(len(seen) > 1, "several generations judged")
