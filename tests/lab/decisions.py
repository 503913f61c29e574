# SPDX-License-Identifier: ISC
"""Changes of the rules, and what is decided by them."""

from tests.lab.process import wait_until
from tests.lab.socks import Client, Refused


def mallory(lab):
    """The principal of whom no rule knows."""
    return f"mallory@{lab.realm.realm}"


def outcome(lab, host, port=9, **options):
    """The SOCKS reply, 0 or 5 for permitted (nobody need listen), and the
    decision record."""
    with Client(lab, **options) as client:
        name = client.name
        client.ready()
        try:
            client.ask(host, port)
            reply = 0
        except Refused as refusal:
            reply = refusal.args[0]
    return reply, lab.audit.wait_for(client=name, event="decision")


def after(lab, change, outcome="ok"):
    """Makes the change; the record of the reload that it causes."""
    before = len(lab.gateway.reloads())
    change()
    return wait_until(
        lambda: [record for record in lab.gateway.reloads()[before:]
                 if record["outcome"] == outcome],
        f"the change is noticed ({outcome})")[0]


def changed(lab, ldif):
    after(lab, lambda: lab.slapd.modify(ldif))


def removed(lab, cn):
    after(lab, lambda: lab.slapd.delete(lab.slapd.rule_dn(cn)))


def set_rule(lab, cn, attribute, *values):
    return (f"dn: {lab.slapd.rule_dn(cn)}\nchangetype: modify\n"
            f"replace: {attribute}\n" +
            "".join(f"{attribute}: {value}\n" for value in values))
