# SPDX-License-Identifier: ISC
"""Rules act on sessions that are running."""

from tests.lab.decisions import outcome, removed
from tests.lab.suite import behaviour, expect, expect_equal
from tests.lab.worlds_sessions import HOST, permit
from tests.lab.worlds_sessions import *  # noqa: F401,F403  (its behaviours)


# All that happens does so since the directory tells of it.
LAB = {"settings": {"directory": {"cache_ttl": 3600}}}


# Active Directory's KDC writes no indicators.
@behaviour
def a_rule_may_demand_how_a_ticket_was_got(lab):
    permit(lab, gwIndicator="spake")
    reply, record = outcome(lab, HOST, user="mallory")
    expect_equal((reply, record["reason"]), (2, "denied_no_rule"), "decision")
    lab.realm.kadmin("modprinc +requires_preauth mallory")
    lab.kinit("mallory", called="mallory-again")
    reply, record = outcome(lab, HOST, user="mallory-again")
    expect(reply in (0, 5), f"{record}")
    auth = lab.audit.wait_for(client=record["client"], event="auth")
    expect_equal(auth["indicators"], "spake", "indicators on record")
    removed(lab, "mallory")
