# SPDX-License-Identifier: ISC
"""Groups and accounts in a world of MIT Kerberos and OpenLDAP, and how what
the directory said is kept."""

import concurrent.futures
import os
import time

from tests.lab.process import wait_until
from tests.lab.slapd import GROUPS, Directory, group_dn, rule, user_dn
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.worlds import (DENIED, PERMITTED, becomes, last_decision,
                              reconfigured, reply_for, works)
from tests.lab.worlds import *  # noqa: F401,F403  (its behaviours)

LAB = {"settings": {"directory": {
    "account_filter": Directory.account_filter}}}

WORKERS = 2


def questions(lab, name):
    """How often the directory was asked who that is."""
    return sum(f"krbPrincipalName={name}@" in one
               for one in lab.slapd.searches())


def settled(lab, user, reply):
    """Answers from before rules were loaded are asked for anew."""
    def is_kept():
        before = questions(lab, user)
        return (reply_for(lab, user=user) == reply and
                questions(lab, user) == before)
    wait_until(is_kept, f"what is known of {user} is kept")


@behaviour
def posix_groups_and_unique_members_count(lab):
    lab.slapd.modify(
        f"dn: cn=posix,{GROUPS}\nobjectClass: posixGroup\ngidNumber: 5000\n"
        "memberUid: mallory\n\n"
        f"dn: cn=unique,{GROUPS}\nobjectClass: groupOfUniqueNames\n"
        f"uniqueMember: {user_dn('bob')}\n\n" +
        rule("posix", gwGroup=f"cn=posix,{GROUPS}",
             gwDestination="10.77.1.1/32") +
        rule("unique", gwGroup=f"cn=unique,{GROUPS}",
             gwDestination="10.77.1.2/32"))
    reconfigured(lab, group_filter=
                 "(|(member=%d)(uniqueMember=%d)(memberUid=%u))")
    becomes(lab, PERMITTED, "memberUid", user="mallory", host="10.77.1.1")
    becomes(lab, PERMITTED, "uniqueMember", user="bob", host="10.77.1.2")
    expect_equal(reply_for(lab, user="bob", host="10.77.1.1"), DENIED,
                 "no memberUid")
    works(lab)
    lab.slapd.modify(f"dn: cn=posix,{GROUPS}\nchangetype: modify\n"
                     "delete: memberUid\nmemberUid: mallory\n")
    becomes(lab, DENIED, "no memberUid any more", user="mallory",
            host="10.77.1.1")


@behaviour
def all_who_come_at_once_share_a_question(lab):
    reconfigured(lab, cache_ttl=60)
    settled(lab, "alice", PERMITTED)
    before = questions(lab, "carol")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: reply_for(lab, user="carol"),
                                range(24)))
    expect_equal(set(replies), {PERMITTED}, "replies")
    asked = questions(lab, "carol") - before
    expect(1 <= asked <= WORKERS, f"{asked} questions about one name")


@behaviour
def that_there_is_nobody_is_kept_for_a_while(lab):
    lab.realm.add_user("ghost", "ghost")
    lab.kinit("ghost")
    reconfigured(lab, negative_ttl=3)
    settled(lab, "ghost", DENIED)
    lab.slapd.add_user("ghost")
    lab.slapd.join("engineers", user_dn("ghost"))
    becomes(lab, PERMITTED, "somebody now", user="ghost")


# Rules from a file do not age; what is known of users does.
@behaviour(start=False, settings={"policy": {"stale_max": 3}})
def what_is_known_of_a_user_serves_until_its_bound(lab):
    path = f"{lab.directory}/rules.ldif"
    with open(path, "w") as out:
        out.write("version: 1\n\n" + rule(
            "staff", gwGroup=group_dn("staff"), gwDestination="10.77.0.0/16"))
    os.chmod(path, 0o644)
    lab.gateway.settings["policy"]["file"] = path
    del lab.gateway.settings["directory"]["rule_base"]
    lab.gateway.write_settings()
    lab.start()
    becomes(lab, PERMITTED, "known")
    lab.slapd.kill()
    killed = time.monotonic()
    expect_equal(reply_for(lab), PERMITTED, "known a moment ago")
    wait_until(lambda: reply_for(lab) == DENIED, "known for too long", 20, 0.2)
    expect(time.monotonic() - killed > 1, "not before its bound")
    expect_equal(last_decision(lab)["reason"], "directory_unavailable",
                 "reason")
    lab.slapd.start()
    becomes(lab, PERMITTED, "asked again")


@behaviour(settings={"directory": {"require_entry": True}})
def who_has_no_entry_is_denied_where_it_was_said(lab):
    lab.slapd.modify(rule("principal", gwPrincipal="carol@EXAMPLE.COM",
                          gwOrder=1, gwDestination="10.77.0.0/16"))
    wait_until(lambda: reply_for(lab, user="carol") == PERMITTED and
               last_decision(lab)["rule"] == "principal", "by her name")
    lab.slapd.delete(user_dn("carol"))
    becomes(lab, DENIED, "deleted", user="carol")
    expect_equal(last_decision(lab)["reason"], "account_disabled", "reason")
    expect_equal(reply_for(lab), PERMITTED, "somebody with an entry")
