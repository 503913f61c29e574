# SPDX-License-Identifier: ISC
"""What has to hold in every world, MIT Kerberos with OpenLDAP as well as
Active Directory: behaviours for a test file of each to import."""

from tests.lab.process import LabError, wait_until
from tests.lab.socks import Client, Refused
from tests.lab.suite import behaviour, expect_equal

PERMITTED, DENIED = 5, 2  # nobody listens there; no rule permits it


def reply_for(lab, host="10.77.0.80", user="alice"):
    """What a request is answered with."""
    with Client(lab, user=user) as client:
        name = client.name
        client.ready()
        try:
            client.ask(host, 9)
            reply = 0
        except Refused as refusal:
            reply = refusal.args[0]
    lab.audit.wait_for(client=name, event="close")
    return reply


def becomes(lab, reply, what, seconds=20, **request):
    wait_until(lambda: reply_for(lab, **request) == reply, what, seconds, 0.1)


def last_decision(lab):
    return lab.audit.find(event="decision")[-1]


def works(lab):
    expect_equal(reply_for(lab), PERMITTED, "a permitted request")
    expect_equal(reply_for(lab, user="mallory"), DENIED, "a denied request")


def reconfigured(lab, **directory):
    """The gateway, started again with other settings of the directory."""
    lab.gateway.stop()
    rows = lab.gateway.settings["directory"]
    rows.update(directory)
    for name in [n for n, value in rows.items() if value is None]:
        del rows[name]
    lab.gateway.write_settings()
    since = len(lab.audit.records())
    lab.gateway.start()
    wait_until(lambda: [record for record in lab.audit.records()[since:]
                        if record["event"] == "reload" and
                        record["outcome"] == "ok"], "rules are loaded")


def origins(lab, user="alice"):
    """Where the user's groups come from: how, and through which group."""
    explained = lab.gateway.ctl_json(
        "explain", f"{user}@{lab.realm.realm}", "connect", "10.77.0.80:9")
    return {group["dn"]: (group["origin"], group.get("through"))
            for group in explained["groups"]}


@behaviour
def groups_in_groups_decide(lab):
    works(lab)
    record = lab.audit.wait_for(event="decision", outcome="ok")
    expect_equal(record["rule"], "staff", "rule")
    expect_equal(record["identity"], f"alice@{lab.realm.realm}", "identity")
    inner, outer = (lab.slapd.group_dn(name).lower()
                    for name in ("engineers", "staff"))
    found = origins(lab)
    expect_equal([found[inner], found[outer]],
                 [("member", None), ("member", inner)], "origins")


@behaviour
def who_leaves_an_inner_group_is_denied_until_back(lab):
    world = lab.slapd
    becomes(lab, PERMITTED, "a member")
    world.leave("engineers", world.user_dn("alice"))
    becomes(lab, DENIED, "no member")
    expect_equal(last_decision(lab)["reason"], "denied_no_rule", "reason")
    expect_equal(reply_for(lab, user="carol"), PERMITTED, "another member")
    world.join("engineers", world.user_dn("alice"))
    becomes(lab, PERMITTED, "a member again")


@behaviour
def a_group_that_leaves_a_group_takes_its_members_along(lab):
    world = lab.slapd
    # So that the outer group is never without members.
    world.join("staff", world.group_dn("contractors"))
    world.leave("staff", world.group_dn("engineers"))
    becomes(lab, DENIED, "no member")
    world.join("staff", world.group_dn("engineers"))
    becomes(lab, PERMITTED, "a member again")
    world.leave("staff", world.group_dn("contractors"))


@behaviour
def groups_in_a_ring_decide_too(lab):
    world = lab.slapd
    # Where staff may go, but no contractor.
    bob = {"user": "bob", "host": "10.77.0.81"}
    expect_equal(reply_for(lab, **bob), DENIED, "no member of the ring")
    world.join("engineers", world.group_dn("staff"))
    world.join("contractors", world.group_dn("engineers"))
    world.join("staff", world.group_dn("contractors"))
    try:
        # In all three, since each is in the next.
        becomes(lab, PERMITTED, "a member of the ring", **bob)
        works(lab)
    finally:
        world.leave("staff", world.group_dn("contractors"))
        world.leave("contractors", world.group_dn("engineers"))
        world.leave("engineers", world.group_dn("staff"))
    becomes(lab, DENIED, "no ring", **bob)


@behaviour
def a_locked_account_is_denied_until_it_is_unlocked(lab):
    world = lab.slapd
    becomes(lab, PERMITTED, "a good account")
    world.lock("alice")
    try:
        becomes(lab, DENIED, "a locked account")
        expect_equal(reply_for(lab, user="carol"), PERMITTED, "another")
    finally:
        world.unlock("alice")
    becomes(lab, PERMITTED, "a good account again")


@behaviour
def a_locked_account_is_denied_what_its_principal_may(lab):
    world = lab.slapd
    principal = f"alice@{lab.realm.realm}"
    world.modify(world.rule("principal", gwPrincipal=principal, gwOrder=1,
                            gwDestination="10.77.0.0/16"))
    wait_until(lambda: reply_for(lab) == PERMITTED and
               last_decision(lab)["rule"] == "principal", "by its name")
    target = lab.target()
    with Client(lab, user="alice") as running:
        running.ready()
        running.ask(target.address, target.port)
        world.lock("alice")
        try:
            # What runs ends; what is new is denied.
            lab.audit.wait_for(event="close", client=running.name,
                               reason="revoked", seconds=20)
            expect_equal(reply_for(lab), DENIED, "a locked account")
            expect_equal(last_decision(lab)["reason"], "account_disabled",
                         "reason")
            says = lab.gateway.ctl_json("explain", principal, "connect",
                                        "10.77.0.80:9")
            expect_equal((says["decision"]["reason"],
                          says["subject"]["account"], says["rules"]),
                         ("account_disabled", "disabled", []), "explained")
        finally:
            world.unlock("alice")
            world.delete(world.rule_dn("principal"))
    becomes(lab, PERMITTED, "a good account again")


@behaviour
def a_deleted_account_is_denied(lab):
    world = lab.slapd
    becomes(lab, PERMITTED, "an account", user="carol")
    world.delete(world.user_dn("carol"))
    becomes(lab, DENIED, "no account", user="carol")
    world.add_user("carol")
    # OpenLDAP leaves the name in the group, Active Directory does not.
    try:
        world.leave("engineers", world.user_dn("carol"))
    except LabError:
        pass
    world.join("engineers", world.user_dn("carol"))
    becomes(lab, PERMITTED, "an account of that name", user="carol")


@behaviour
def while_the_directory_is_away_what_is_known_serves(lab):
    world = lab.slapd
    becomes(lab, PERMITTED, "alice is known")
    reconfigured(lab)
    becomes(lab, PERMITTED, "alice is known")
    world.kill()
    try:
        wait_until(lambda: reply_for(lab) == PERMITTED and
                   last_decision(lab).get("stale") == "1",
                   "known, and on record as stale")
        expect_equal(reply_for(lab, user="carol"), DENIED, "never seen")
        expect_equal(last_decision(lab)["reason"], "directory_unavailable",
                     "reason")
    finally:
        world.start()
    becomes(lab, PERMITTED, "carol is asked about again", user="carol")
