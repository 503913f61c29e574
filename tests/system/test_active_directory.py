# SPDX-License-Identifier: ISC
"""Rules, running sessions, groups and accounts in an Active Directory world:
what has to hold in every world, and what is its own."""

from tests.lab import samba
from tests.lab.domain_lab import DomainLab
from tests.lab.samba import DOMAIN_USERS, Domain, rule
from tests.lab.suite import behaviour, expect_equal
from tests.lab.worlds import (DENIED, PERMITTED, becomes, last_decision,
                              origins, reconfigured, reply_for, works)
from tests.lab.worlds import *  # noqa: F401,F403  (its behaviours)
from tests.lab.worlds_policy import *  # noqa: F401,F403  (its behaviours)
from tests.lab.worlds_sessions import *  # noqa: F401,F403  (its behaviours)

MAKE_LAB = DomainLab
LONG = True
LAB = {"settings": {"directory": {"account_filter": Domain.account_filter},
                    "listener other": {}}}

IN_CHAIN = {"nested": "in_chain",
            "group_filter": "(member:1.2.840.113556.1.4.1941:=%d)"}


# What follows changes the gateway's settings, one after the other.

@behaviour
def the_directory_follows_groups_by_itself(lab):
    world = lab.slapd
    reconfigured(lab, member_of=False, **IN_CHAIN)
    becomes(lab, PERMITTED, "a member")
    expect_equal(reply_for(lab, user="mallory"), DENIED, "no member")
    found = origins(lab)
    expect_equal([found[world.group_dn(name).lower()]
                  for name in ("engineers", "staff")],
                 [("member", None), ("inChain", None)], "origins")
    world.leave("staff", world.group_dn("engineers"))
    becomes(lab, DENIED, "no member")
    world.join("staff", world.group_dn("engineers"))
    becomes(lab, PERMITTED, "a member again")


@behaviour
def the_primary_group_is_a_group(lab):
    world = lab.slapd
    reconfigured(lab, group_base=samba.SUFFIX)
    world.modify(rule("everybody", gwGroup=DOMAIN_USERS,
                      gwDestination="10.77.0.0/16"))
    expect_equal(reply_for(lab, user="mallory"), DENIED, "without it")
    reconfigured(lab, primary_group=True)
    becomes(lab, PERMITTED, "with it", user="mallory")
    expect_equal(last_decision(lab)["rule"], "everybody", "rule")
    # What it is in counts, too.
    world.delete(f"CN=everybody,{samba.RULES}")
    becomes(lab, DENIED, "no rule for it", user="mallory")
    world.join("contractors", DOMAIN_USERS)
    becomes(lab, PERMITTED, "through the primary group", user="mallory")
    expect_equal(last_decision(lab)["rule"], "contractors", "rule")
    found = origins(lab, user="mallory")
    expect_equal(found[DOMAIN_USERS.lower()], ("primaryGroup", None), "first")
    expect_equal(found[world.group_dn("contractors").lower()],
                 ("member", DOMAIN_USERS.lower()), "through it")
    world.leave("contractors", DOMAIN_USERS)
    becomes(lab, DENIED, "not any more", user="mallory")


@behaviour
def each_kind_of_bind_works(lab):
    for change in [
            {"uri": [lab.slapd.tls_uri]},
            {"uri": [lab.slapd.uri], "start_tls": False},
            {"start_tls": True, "bind": "simple", "client_keytab": None,
             "bind_dn": samba.READER,
             "password_file": lab.slapd.password_file},
            {"uri": [lab.slapd.tls_uri]}]:
        reconfigured(lab, **change)
        works(lab)
