# SPDX-License-Identifier: ISC
"""The guide's example holds what its sentence says: contractors may reach two
hosts on 443, in office hours, with OTP, until Friday 27 November 2026.
`gatewardenctl explain` proves each condition."""

import os

from tests.lab.slapd import SUFFIX
from tests.lab.suite import behaviour, expect_equal

BASE = f"ou=gatewarden,{SUFFIX}"
RULE = "contractors to git and tickets"
EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "examples",
                       "contractors.ldif")


def folder(dn):
    return f"dn: {dn}\nobjectClass: organizationalUnit\n\n"


def example():
    with open(EXAMPLE) as source:
        return source.read() + "\n"


LAB = {"entries": folder(BASE) + folder(f"ou=sets,{BASE}") +
       folder(f"ou=rules,{BASE}") + example(),
       "settings": {"directory": {"rule_base": BASE}}}

# Wednesday, ten o'clock in Amsterdam.
ALLOWED = {"who": "bob", "host": "git.example.com", "port": 443,
           "at": "2026-11-25T10:00:00+01:00", "indicators": ["otp"]}


def explain(lab, who, host, port, at, indicators):
    """The decision, and what the rule did with it."""
    options = [word for indicator in indicators
               for word in ("--indicator", indicator)]
    found = lab.gateway.ctl_json(
        "explain", f"{who}@EXAMPLE.COM", "connect", f"{host}:{port}",
        "--from", "192.0.2.40", "--at", at, *options)
    rows = [row for row in found["rules"] if row["name"] == RULE]
    return found["decision"], {(row["part"], row.get("failed"))
                               for row in rows}


def names_are_there(lab):
    for name in ["git", "tickets", "wiki"]:
        lab.names.table[f"{name}.example.com"] = ["10.77.0.90"]


def permitted(lab, **but):
    decision, did = explain(lab, **{**ALLOWED, **but})
    expect_equal((decision["decision"], decision.get("rule"), did),
                 ("permit", RULE, {("permits", None)}), f"{but}")


def denied(lab, failed, **but):
    decision, did = explain(lab, **{**ALLOWED, **but})
    expect_equal((decision["decision"], decision["reason"], did),
                 ("deny", "denied_no_rule", {("fails", failed)}), f"{but}")


@behaviour
def contractors_reach_the_two_hosts_in_office_hours_with_otp(lab):
    names_are_there(lab)
    permitted(lab)
    permitted(lab, host="tickets.example.com")
    permitted(lab, indicators=["pkinit", "otp"])
    # The first and the last second of it.
    permitted(lab, at="2026-11-25T08:00:00+01:00")
    permitted(lab, at="2026-11-27T17:59:59+01:00")
    # Eight o'clock in summer time.
    permitted(lab, at="2026-10-19T08:00:00+02:00")


@behaviour
def each_condition_that_fails_is_named(lab):
    names_are_there(lab)
    denied(lab, "gwGroup", who="alice")
    denied(lab, "gwGroup", who="nobody")
    denied(lab, "gwDestination", host="wiki.example.com")
    denied(lab, "gwDestination", host="10.77.0.90")
    denied(lab, "gwPort", port=80)
    denied(lab, "gwIndicator", indicators=[])
    denied(lab, "gwIndicator", indicators=["pkinit"])
    # Before eight, at six, on a Sunday.
    denied(lab, "gwSchedule", at="2026-11-25T07:59:59+01:00")
    denied(lab, "gwSchedule", at="2026-11-25T18:00:00+01:00")
    denied(lab, "gwSchedule", at="2026-11-22T10:00:00+01:00")
    # Office hours of the Monday after that Friday.
    denied(lab, "gwNotAfter", at="2026-11-30T10:00:00+01:00")
