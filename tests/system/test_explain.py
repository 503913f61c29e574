# SPDX-License-Identifier: ISC
"""What gatewardenctl explains is what sessions get."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.lab.control import FAILED, ask, told
from tests.lab.decisions import outcome
from tests.lab.gateway import USERS
from tests.lab.process import wait_until
from tests.lab.slapd import group_dn, rule, user_dn
from tests.lab.socks import (DATAGRAM_FLAGS, UDP, Association, Client,
                             Refused)
from tests.lab.suite import behaviour, expect, expect_equal

PROTECTIONS = {1: "integrity", 2: "confidentiality", 3: "selective"}
# Some hour that is not now, whatever the time zone does meanwhile.
HOUR = (time.gmtime().tm_hour + 12) % 24
WORKING = f"2026-11-26T{HOUR:02}:30:00Z"

RULES = (
    rule("six", "deny", gwOrder=10, gwDestination="fd77::80"),
    rule("payroll", "deny", gwOrder=10, gwDestination="payroll.example.com"),
    rule("no-contractors", "deny", gwOrder=20,
         gwGroup=group_dn("contractors"), gwDestination="10.77.0.81"),
    rule("night", "deny", gwOrder=30, gwReportOnly="TRUE",
         gwDestination="10.77.0.80"),
    rule("staff", gwOrder=40, gwGroup=group_dn("staff"),
         gwDestination="*"),
    rule("sealed", gwPrincipal="bob@EXAMPLE.COM", gwMaxSessions=7,
         gwProtection="confidentiality", gwDestination="10.77.0.80"),
    rule("hour", gwUser=user_dn("bob"), gwDestination="10.77.0.5",
         gwSchedule=f"Mon-Sun {HOUR:02}:00-{HOUR:02}:59 Etc/UTC"),
    rule("office", gwPrincipal="mallory@EXAMPLE.COM",
         gwClient="192.0.2.0/24",
         gwDestination=["10.77.0.6", "www.elsewhere.example"]),
    rule("datagrams", gwCommand="udp", gwGroup=group_dn("staff"),
         gwDestination="10.77.0.80"),
    rule("far", gwCommand="udp", gwGroup=group_dn("staff"),
         gwDestination="10.78.0.53"),
    rule("no-queries", "deny", gwOrder=10, gwCommand="udp",
         gwDestination="10.77.0.82"),
)

LAB = {"entries": "".join(RULES)}


def explain(lab, user, host, *options, port=9, **more):
    host = f"[{host}]" if ":" in host else host
    return lab.gateway.ctl_json("explain", f"{user}@EXAMPLE.COM", "connect",
                                f"{host}:{port}", *options, **more)


def part(explained, name, address=None):
    """What a rule had to do with it."""
    found = [(row["part"], row.get("failed")) for row in explained["rules"]
             if row["name"] == name and row.get("address") in (None, address)]
    return found[0] if found else None


def agreed(lab, user, host, level=2, **options):
    """The explanation, which says what a session gets."""
    reply, record = outcome(lab, host, user=user, level=level, **options)
    explained = explain(lab, user, host, "--from", "127.0.0.1",
                        "--protection", PROTECTIONS[level], **options)
    decision = explained["decision"]
    expect_equal(decision["decision"],
                 "permit" if reply in (0, 5) else "deny", "the decision")
    expect_equal((decision["reason"], decision.get("rule"),
                  decision.get("report"),
                  explained["policy"]["generation"]),
                 (record.get("reason", "ok"), record.get("rule"),
                  record.get("report"), int(record["generation"])),
                 f"the record {record}")
    return explained


@behaviour
def a_permission_and_what_came_before_it(lab):
    explained = agreed(lab, "alice", "10.77.0.80")
    expect_equal([part(explained, name) for name in
                  ["six", "no-contractors", "night", "staff", "sealed"]],
                 [("fails", "gwDestination"), ("fails", "gwDestination"),
                  ("reports", None), ("permits", None), None], "the rules")
    listed = lab.gateway.ctl_json("policy", "list")["rules"]
    expect_equal(explained["decision"]["rules_not_asked"],
                 len(listed) - len(explained["rules"]), "rules behind")
    groups = {group["dn"]: group["used"] for group in explained["groups"]}
    expect_equal(groups, {group_dn("engineers"): False,
                          group_dn("staff"): True}, "groups")
    expect_equal({group["dn"]: (group["origin"], group.get("through"))
                  for group in explained["groups"]},
                 {group_dn("engineers"): ("member", None),
                  group_dn("staff"): ("member", group_dn("engineers"))},
                 "where they come from")
    expect(f"{group_dn('staff')}, by member through {group_dn('engineers')}"
           in lab.gateway.ctl("explain", "alice@EXAMPLE.COM", "connect",
                              "10.77.0.80:9"), "it is said")
    expect_equal(explained["subject"]["dn"], user_dn("alice"), "the user")


@behaviour
def a_denial_by_a_group(lab):
    explained = agreed(lab, "bob", "10.77.0.81")
    expect_equal(part(explained, "no-contractors"), ("denies", None), "how")
    expect_equal(part(explained, "staff"), None, "not asked")


@behaviour
def of_two_addresses_one_is_permitted(lab):
    explained = agreed(lab, "alice", "www.example.com")
    met = {row["address"]: (row["decision"], row["rule"])
           for row in explained["addresses"]}
    expect_equal(met, {"fd77::80": ("deny", "six"),
                       "10.77.0.80": ("permit", "staff")}, "addresses")
    expect_equal(part(explained, "six", "fd77::80"), ("denies", None), "six")
    expect_equal(part(explained, "six", "10.77.0.80"),
                 ("fails", "gwDestination"), "four")
    expect_equal([row.get("address") for row in explained["rules"]
                  if row["name"] == "staff"], ["10.77.0.80"],
                 "which one staff was asked about")


@behaviour
def where_every_outcome_is_a_denial_nothing_is_resolved(lab):
    explained = agreed(lab, "alice", "payroll.example.com")
    expect_equal(explained["resolution"]["asked"], False, "resolved")
    expect_equal(explained["addresses"], [], "addresses")
    expect_equal(part(explained, "payroll"), ("denies", None), "how")
    expect("every outcome is a denial" in lab.gateway.ctl(
        "explain", "alice@EXAMPLE.COM", "connect", "payroll.example.com:9"),
        "it is said")


@behaviour
def a_special_address_is_closed(lab):
    explained = agreed(lab, "alice", "127.0.0.1")
    expect_equal(explained["decision"]["reason"], "denied_special", "why")
    expect_equal(part(explained, "staff"), ("closed", None), "how")
    _, port = lab.listeners["main"]
    expect_equal(agreed(lab, "alice", "127.0.0.1", port=port)["decision"]
                 ["reason"], "denied_special", "our own port")


@behaviour
def a_rule_demands_protection(lab):
    permitted = agreed(lab, "bob", "10.77.0.80", level=2)
    expect_equal(permitted["decision"]["max_sessions"], 7, "its limit")
    denied = agreed(lab, "bob", "10.77.0.80", level=1)
    expect_equal(part(denied, "sealed"), ("fails", "gwProtection"), "how")
    assumed = explain(lab, "bob", "10.77.0.80")["question"]
    expect_equal((assumed["protection"], assumed["protection_assumed"]),
                 ("confidentiality", True), "without being asked")


@behaviour
def a_schedule_is_asked_about_another_time(lab):
    now = agreed(lab, "bob", "10.77.0.5")
    expect_equal(part(now, "hour"), ("fails", "gwSchedule"), "now")
    expect(now["decision"]["valid_until"] > time.time(), "until then")
    then = explain(lab, "bob", "10.77.0.5", "--at", WORKING)
    expect_equal((then["decision"]["decision"], then["decision"]["rule"]),
                 ("permit", "hour"), "then")
    expect_equal(explain(lab, "bob", "10.77.0.5", "--at",
                         WORKING.translate(str.maketrans("", "", "-:T")))
                 ["decision"], then["decision"], "GeneralizedTime")


@behaviour
def without_from_what_depends_on_it_is_said(lab):
    denied = agreed(lab, "mallory", "10.77.0.6")
    expect_equal(part(denied, "office"), ("fails", "gwClient"), "from here")
    depends = explain(lab, "mallory", "10.77.0.6")
    expect_equal(depends["decision"]["decision"], "depends", "not said")
    expect_equal(part(depends, "office")[0], "needs client", "why")
    permitted = explain(lab, "mallory", "10.77.0.6", "--from", "192.0.2.1")
    expect_equal(permitted["decision"]["rule"], "office", "from there")
    # By name: an address could be permitted to some, so that it is resolved.
    depends = explain(lab, "mallory", "www.elsewhere.example")
    expect_equal((depends["decision"]["decision"],
                  depends["resolution"]["asked"]), ("depends", True),
                 "by name")
    denied = explain(lab, "mallory", "four.example.com")
    expect_equal((denied["decision"]["decision"],
                  denied["resolution"]["asked"]), ("deny", True),
                 "a name at whose address none is permitted")
    permitted = explain(lab, "mallory", "www.elsewhere.example", "--from",
                        "192.0.2.1")
    expect_equal([row["decision"] for row in permitted["addresses"]],
                 ["permit"], "by name from there")
    # Its other conditions do not hold whatever the client is.
    expect_equal(explain(lab, "mallory", "10.77.0.7")["decision"]["decision"],
                 "deny", "elsewhere")


def association(lab, user):
    """The record of a decision on UDP ASSOCIATE."""
    with Client(lab, user=user, flags=DATAGRAM_FLAGS) as client:
        name = client.ready().name
        try:
            client.ask("0.0.0.0", 0, UDP)
        except Refused:
            pass
    return lab.audit.wait_for(client=name, event="decision")


@behaviour
def datagrams_are_denied_as_a_whole_or_one_by_one(lab):
    for user, outcome_wanted in [("alice", "ok"), ("bob", "fail")]:
        record = association(lab, user)
        expect_equal(record["outcome"], outcome_wanted, f"of {user}")
        says = lab.gateway.ctl_json("explain", f"{user}@EXAMPLE.COM", "udp",
                                    "10.77.0.80:53")["decision"]
        expect_equal((says["reason"], says.get("rule")),
                     (record["reason"], record.get("rule")), f"to {user}")
    says = lab.gateway.ctl_json("explain", "alice@EXAMPLE.COM", "udp",
                                "10.77.0.81:53")["decision"]
    expect_equal(says["reason"], "denied_no_rule", "another destination")


@behaviour
def datagrams_to_a_name_are_explained_as_they_are_recorded(lab):
    """The first denial; of permissions, that of where they go, which is not
    where there is no way to."""
    for name, addresses, rule_wanted in [
            ("first.example.com", ["10.77.0.82", "10.77.0.83"], "no-queries"),
            ("last.example.com", ["10.77.0.83", "10.77.0.82"], None),
            ("far.example.com", ["10.78.0.53", "10.77.0.80"], "datagrams")]:
        lab.names.table[name] = addresses
        with Client(lab, flags=DATAGRAM_FLAGS) as client:
            client.ready()
            with Association(client, ("0.0.0.0", 0), None, 0) as association:
                association.send(name, 53, b"x")
                record = lab.audit.wait_for(
                    client=client.name, event="decision",
                    destination=f"{name}:53")
        expect_equal(record.get("rule"), rule_wanted, f"the record: {record}")
        says = lab.gateway.ctl_json("explain", "alice@EXAMPLE.COM", "udp",
                                    f"{name}:53")["decision"]
        expect_equal((says["reason"], says.get("rule")),
                     (record["reason"], record.get("rule")), f"to {name}")


@behaviour
def a_name_that_is_unknown_is_not_denied(lab):
    explained = explain(lab, "alice", "nowhere.example.com")
    expect_equal((explained["decision"]["decision"],
                  explained["decision"]["reason"]),
                 ("unresolved", "name_unknown"), "decision")
    expect_equal(part(explained, "six"), ("needs address", "gwDestination"),
                 "what might be with an address")
    expect_equal(part(explained, "staff"), ("permits", None), "by name")


@behaviour
def what_no_session_could_ask_is_no_question(lab):
    for words, why in [
            (["alice", "connect", "10.77.0.80:9"], "no realm"),
            (["a@B", "listen", "10.77.0.80:9"], "connect, bind or udp"),
            (["a@B", "connect", "10.77.0.80"], "no destination"),
            (["a@B", "connect", "h:1", "--listener", "x"], "no listener x"),
            (["a@B", "connect", "h:1", "--method", "password"], "not offer"),
            (["a@B", "connect", "h:1", "--protection", "none"], "not grant"),
            (["a@B", "connect", "h:1", "--from", "h"], "no address")]:
        said = lab.gateway.ctl("explain", *words, status=65)
        expect(why in said, f"{why} is not in {said}")
    said = lab.gateway.ctl("explain", "a@B", "connect", "h:1", "--at", "noon",
                           status=64)
    expect("noon is no time" in said, said)


@behaviour
def what_judging_elsewhere_needs_is_told(lab):
    def answer(**question):
        return told(lab.gateway.settings["control"]["socket"], **question)

    inner, outer = group_dn("engineers"), group_dn("staff")
    (subject, *groups), _ = answer(command="subject", who="alice@EXAMPLE.COM")
    expect_equal((subject["dn"], subject["cached"], subject["silence"]),
                 (user_dn("alice"), "false", ""), "the subject")
    expect_equal([(group["dn"], group["origin"], group.get("through"))
                  for group in groups],
                 [(inner, "member", None), (outer, "member", inner)], "groups")
    expect_equal([answer(command="entry", dn=dn)[0][0]["is"] for dn in
                  (outer, group_dn("nobody"), "staff")],
                 ["there", "missing", "unknown"], "entries")
    (name, *addresses), _ = answer(command="resolve", name="www.example.com")
    expect_equal((name["reason"], {row["address"] for row in addresses}),
                 ("ok", {"fd77::80", "10.77.0.80"}), "addresses")
    (facts, *_), _ = answer(command="facts")
    expect_equal((facts["has_directory"], facts["allow_empty"]),
                 ("true", "false"), "facts")
    rules, in_force = answer(command="set")
    expect_equal(rules[0]["octets"], str(len(in_force)), "the set")
    base = lab.gateway.settings["directory"]["rule_base"]
    expect_equal(answer(command="set", base=base)[1], in_force, "that base")
    expect_equal(ask(lab.gateway.settings["control"]["socket"], command="set",
                     base=inner + "x"), [FAILED], "no such base")


@behaviour
def sets_of_rules_are_read_one_behind_the_other(lab):
    path = lab.gateway.settings["control"]["socket"]
    base = lab.gateway.settings["directory"]["rule_base"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(
            lambda _: told(path, command="set", base=base)[1], range(4)))
    expect(len(answers[0]) > 0, "a set")
    expect_equal(answers, [answers[0]] * 4, "all that were asked for")


@behaviour
def each_question_is_on_record(lab):
    # Of root's, who has asked a lot just now, some are only counted.
    uid = USERS["gateway"]
    lab.gateway.ctl("explain", "carol@EXAMPLE.COM", "connect", "10.77.0.80:9",
                    user=uid, group=uid, extra_groups=[])
    wanted = ('explain user="carol@EXAMPLE.COM" do="connect" '
              'destination="10.77.0.80:9"')
    record = wait_until(
        lambda: [record for record in lab.audit.find(event="admin")
                 if record["detail"].endswith(wanted)], "the record")[0]
    expect(record["detail"].startswith(f"uid {uid}, "), f"who: {record}")
    expect_equal(record["outcome"], "ok", "outcome")


@behaviour
def the_socket_outlives_the_gateway(lab):
    lab.gateway.kill("gateway")
    # It waits in the socket for the next one, which may have no rules yet.
    wait_until(lambda: "staff" in lab.gateway.ctl("policy", "list",
                                                  status=None),
               "the next gateway answers")
    agreed(lab, "alice", "10.77.0.80")


@behaviour
def rules_are_listed_in_their_order(lab):
    listed = lab.gateway.ctl_json("policy", "list")
    expect_equal([row["name"] for row in listed["rules"]],
                 ["no-queries", "payroll", "six", "no-contractors", "night",
                  "staff", "datagrams", "far", "hour", "office", "sealed"],
                 "the rules")
    expect_equal([row["name"] for row in listed["rules"]
                  if row["report_only"]], ["night"], "dry runs")
    expect_equal((listed["count"], listed["stale"]), (11, False), "the set")
