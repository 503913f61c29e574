# SPDX-License-Identifier: ISC
"""The example of OpenLDAP's access rules: rules are looked after by those who
should, and read by the gateway, which writes nothing."""

import os

from tests.lab.decisions import outcome
from tests.lab.process import LabError, run, wait_until
from tests.lab.slapd import (ADMIN_PASSWORD, GROUPS, READER, READER_PASSWORD,
                             SUFFIX, group, user_dn)
from tests.lab.suite import behaviour, expect, expect_equal

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
BASE = f"ou=gatewarden,{SUFFIX}"
DELEGATED = f"ou=contractors,ou=rules,{BASE}"
SET = f"cn=lab,ou=sets,{BASE}"
ADMIN_OF_CONTRACTORS = user_dn("carol")


def folder(dn):
    return f"dn: {dn}\nobjectClass: organizationalUnit\n\n"


TREE = (folder(BASE) + folder(f"ou=sets,{BASE}") + folder(f"ou=rules,{BASE}") +
        folder(DELEGATED) +
        group("contractor admins", ADMIN_OF_CONTRACTORS) +
        f"dn: {SET}\nobjectClass: gwDestinations\ncn: lab\n"
        "gwDestination: 10.77.0.0/16\n\n"
        f"dn: cn=central,ou=rules,{BASE}\nobjectClass: gwRule\ncn: central\n"
        "gwAction: deny\ngwOrder: 10\ngwDestination: 10.77.9.9\n\n")

LAB = {"entries": TREE, "settings": {"directory": {"rule_base": BASE}}}


def rule_below(folder_dn, cn, *more):
    lines = [f"dn: cn={cn},{folder_dn}", "objectClass: gwRule", f"cn: {cn}",
             "gwAction: permit", f"gwGroup: cn=contractors,{GROUPS}",
             f"gwDestinationSet: {SET}", *more]
    return "\n".join(lines) + "\n\n"


def written(lab, ldif, who, password):
    """What a change is answered with: "", or the server's refusal."""
    try:
        run("/usr/bin/ldapmodify", "-a", "-x", "-H", lab.slapd.uri, "-D", who,
            "-w", password, input=ldif, env={**os.environ, "LDAPNOINIT": "1"})
        return ""
    except LabError as error:
        return str(error)


def delegated(lab, ldif):
    return written(lab, ldif, ADMIN_OF_CONTRACTORS, "carol-secret")


def refused(answer):
    expect("Insufficient access (50)" in answer, f"refused: {answer!r}")


def access_is_as_in_the_example(lab):
    if hasattr(lab, "has_access"):
        return
    lab.has_access = True
    lab.slapd.modify(f"dn: {ADMIN_OF_CONTRACTORS}\nchangetype: modify\n"
                     "add: userPassword\nuserPassword: carol-secret\n")
    with open(f"{EXAMPLES}/access-openldap.ldif") as example:
        answer = written(lab, example.read(), "cn=config", ADMIN_PASSWORD)
    expect_equal(answer, "", "the example is taken")
    # Read under these, from the first connection on.
    lab.gateway.stop()
    since = len(lab.audit.records())
    lab.gateway.start()
    wait_until(lambda: [r for r in lab.audit.records()[since:]
                        if "syncrepl: rules, users, groups" in
                        r.get("detail", "")], "everything is followed")


def becomes(lab, reply, what):
    wait_until(lambda: outcome(lab, "10.77.0.80", user="bob")[0] == reply,
               what)


@behaviour
def a_delegated_administrator_looks_after_her_folder(lab):
    access_is_as_in_the_example(lab)
    becomes(lab, 2, "nothing is permitted yet")
    expect_equal(delegated(lab, rule_below(DELEGATED, "hers")), "", "her rule")
    becomes(lab, 5, "her rule permits")
    expect_equal(outcome(lab, "10.77.0.80", user="bob")[1]["rule"], "hers",
                 "the rule that permits")
    expect_equal(outcome(lab, "10.77.9.9", user="bob")[1]["rule"], "central",
                 "a denial that comes first")
    expect_equal(outcome(lab, "10.77.0.80", user="mallory")[0], 2,
                 "who is not in the group")
    expect_equal(
        delegated(lab, f"dn: cn=hers,{DELEGATED}\nchangetype: delete\n"), "",
        "her rule is deleted")
    becomes(lab, 2, "her rule is gone")


@behaviour
def and_after_nothing_else(lab):
    access_is_as_in_the_example(lab)
    for change in [
            rule_below(f"ou=rules,{BASE}", "above"),
            rule_below(f"ou=sets,{BASE}", "beside"),
            f"dn: cn=central,ou=rules,{BASE}\nchangetype: delete\n",
            f"dn: {SET}\nchangetype: modify\nadd: gwDestination\n"
            "gwDestination: *\n",
            f"dn: {DELEGATED}\nchangetype: modify\nadd: description\n"
            "description: mine\n",
            f"dn: {user_dn('bob')}\nchangetype: modify\nreplace: sn\nsn: x\n",
            f"dn: cn=contractor admins,{GROUPS}\nchangetype: modify\n"
            f"add: member\nmember: {user_dn('bob')}\n"]:
        refused(delegated(lab, change))


@behaviour
def her_rules_come_late_and_lead_to_sets_only(lab):
    access_is_as_in_the_example(lab)
    for order in ["0", "10", "99", "499", "-1"]:
        refused(delegated(lab, rule_below(DELEGATED, "early",
                                          f"gwOrder: {order}")))
    refused(delegated(lab, rule_below(DELEGATED, "far", "gwDestination: *")))
    expect_equal(delegated(lab, rule_below(DELEGATED, "late",
                                           "gwOrder: 500")), "", "order 500")
    change = f"dn: cn=late,{DELEGATED}\nchangetype: modify\n"
    refused(delegated(lab, change + "replace: gwOrder\ngwOrder: 5\n"))
    refused(delegated(lab, change + "add: gwDestination\ngwDestination: *\n"))
    refused(delegated(
        lab, f"dn: cn=late,{DELEGATED}\nchangetype: modrdn\nnewrdn: cn=late\n"
        f"deleteoldrdn: 0\nnewsuperior: ou=rules,{BASE}\n"))
    expect_equal(delegated(lab, change + "replace: gwOrder\ngwOrder: 600\n"),
                 "", "order 600")


@behaviour
def the_reader_reads_what_it_must_and_writes_nothing(lab):
    access_is_as_in_the_example(lab)
    for change in [rule_below(DELEGATED, "readers"),
                   f"dn: cn=central,ou=rules,{BASE}\nchangetype: delete\n",
                   f"dn: {user_dn('bob')}\nchangetype: modify\n"
                   f"add: description\ndescription: x\n",
                   f"dn: cn=contractors,{GROUPS}\nchangetype: modify\n"
                   f"add: member\nmember: {READER}\n"]:
        refused(written(lab, change, READER, READER_PASSWORD))
    seen = run("/usr/bin/ldapsearch", "-x", "-LLL", "-H", lab.slapd.uri,
               "-D", READER, "-w", READER_PASSWORD, "-b", SUFFIX,
               env={**os.environ, "LDAPNOINIT": "1"})
    expect("cn=central" in seen and "krbPrincipalName: bob" in seen and
           "member: " in seen, f"rules, users, groups: {seen}")
    for secret in ["userPassword", "\nsn:", "ou=services"]:
        expect(secret not in seen, f"{secret!r} is seen: {seen}")
