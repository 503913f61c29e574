# SPDX-License-Identifier: ISC
"""How long it takes from ldapmodify's result until decisions change."""

import threading
import time

from tests.lab.slapd import (RULES, destinations, group, group_dn, rule,
                             user_dn)
from tests.lab.socks import Client, Refused

# Nothing but what the directory tells may bring a change.
SETTINGS = {"directory": {"poll_interval": 86400, "reread_interval": 86400,
                          "cache_ttl": 86400, "negative_ttl": 3600}}
PATIENCE = 20
AT_A_TIME = 4  # clients; with two workers each gets its share


def permitted(lab, host, **options):
    """Is a request permitted (nobody need listen there)?"""
    with Client(lab, **options) as client:
        client.ready()
        try:
            client.ask(host, 9)
        except Refused as refusal:
            return refusal.args[0] != 2
    return True


class _Asker(threading.Thread):
    """Asks until the answer is the one that is wanted, again and again; keeps
    when the last other one came."""

    def __init__(self, lab, host, user, wanted):
        super().__init__()
        self.arguments = lab, host, user, wanted
        self.changed = threading.Event()  # ldapmodify has returned
        self.last_other = None
        self.failure = None

    def run(self):
        lab, host, user, wanted = self.arguments
        until = time.monotonic() + PATIENCE
        try:
            in_a_row = 0
            while in_a_row < 3 or not self.changed.is_set():
                if permitted(lab, host, user=user) == wanted:
                    in_a_row += 1
                else:
                    in_a_row, self.last_other = 0, time.monotonic()
                if time.monotonic() > until:
                    raise AssertionError(f"{host} is not {wanted}")
        except Exception as error:  # the caller raises it
            self.failure = error


def delay(lab, ldif, host, user, wanted):
    """Makes the change while several clients ask: for how many seconds after
    ldapmodify's result did anybody still get the old answer?"""
    askers = [_Asker(lab, host, user, wanted) for _ in range(AT_A_TIME)]
    for asker in askers:
        asker.start()
    lab.slapd.modify(ldif)
    done = time.monotonic()
    for asker in askers:
        asker.changed.set()
    for asker in askers:
        asker.join()
        if asker.failure:
            raise asker.failure
    return max(0, *((asker.last_other or done) - done for asker in askers))


def _replace(dn, attribute, value):
    return (f"dn: {dn}\nchangetype: modify\n"
            f"replace: {attribute}\n{attribute}: {value}\n")


def _member(action):
    return (f"dn: {group_dn('inner')}\nchangetype: modify\n"
            f"{action}: member\nmember: {user_dn('mallory')}\n")


def prepare(lab):
    """What the trials change: a rule, a set, and a group in a group; they
    deny at first."""
    lab.slapd.modify(
        group("inner", user_dn("bob")) +
        group("outer", group_dn("inner")) +
        destinations("places", gwDestination="10.78.0.99") +
        rule("live-rule", gwPrincipal="alice@EXAMPLE.COM", gwEnabled="FALSE",
             gwDestination="10.78.0.1") +
        rule("live-group", gwGroup=group_dn("outer"),
             gwDestination="10.78.0.2") +
        rule("live-set", gwPrincipal="alice@EXAMPLE.COM",
             gwDestinationSet=f"cn=places,{RULES}"))


# What: (LDIF that permits, LDIF that denies, where to, who asks).
TRIALS = {
    "rule": (_replace(f"cn=live-rule,{RULES}", "gwEnabled", "TRUE"),
             _replace(f"cn=live-rule,{RULES}", "gwEnabled", "FALSE"),
             "10.78.0.1", "alice"),
    "set": (_replace(f"cn=places,{RULES}", "gwDestination", "10.78.0.3"),
            _replace(f"cn=places,{RULES}", "gwDestination", "10.78.0.99"),
            "10.78.0.3", "alice"),
    "nested group": (_member("add"), _member("delete"),
                     "10.78.0.2", "mallory"),
}


def measure(lab, what, count):
    """The delays of `count` changes to and fro, in seconds, sorted."""
    permit, deny, host, user = TRIALS[what]
    return sorted(
        delay(lab, (permit, deny)[n % 2], host, user, n % 2 == 0)
        for n in range(count))


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share / 100))]


def figures(what, values):
    return (f"{what}: {len(values)} changes, ms until no decision is the old "
            f"one: p50 {percentile(values, 50) * 1000:.0f}, "
            f"p99 {percentile(values, 99) * 1000:.0f}, "
            f"max {values[-1] * 1000:.0f}")
