# SPDX-License-Identifier: ISC
"""The whole gateway in an Active Directory world."""

from tests.lab.domain_lab import DomainLab
from tests.lab.socks import Client, Refused
from tests.lab.suite import behaviour, expect_equal

MAKE_LAB = DomainLab


def reply_for(lab, host="10.77.0.80", user="alice"):
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


def works(lab):
    expect_equal(reply_for(lab), 5, "a permitted request (nobody listens)")
    expect_equal(reply_for(lab, user="mallory"), 2, "a denied request")


@behaviour
def a_ticket_with_a_pac_proves_and_nested_groups_decide(lab):
    works(lab)
    record = lab.audit.wait_for(event="decision", outcome="ok")
    expect_equal(record["identity"], "alice@AD.EXAMPLE.COM", "identity")
    expect_equal(record["rule"], "staff", "rule")
