# SPDX-License-Identifier: ISC
"""The lab in an Active Directory world: Samba in place of KDC and slapd."""

from tests.lab import samba
from tests.lab.lab import PEOPLE, ROOT, Lab
from tests.lab.samba import (GROUPS, RULES, Domain, group, group_dn, rule,
                             user_dn)


def rules(place):
    """What tests/lab/lab.py's rules say."""
    return (
        rule("forbidden", "deny", gwOrder=10,
             gwDestination=[f"{place.forbidden}/32", "payroll.example.com"]) +
        rule("staff", gwGroup=group_dn("staff"),
             gwDestination=[*place.networks, "*.example.com"]) +
        rule("contractors", gwGroup=group_dn("contractors"),
             gwProtection="confidentiality",
             gwDestination=f"{place.web}/32"))


def groups():
    return (group("engineers", user_dn("alice"), user_dn("carol")) +
            group("staff", group_dn("engineers")) +
            group("contractors", user_dn("bob")))


class DomainLab(Lab):
    """A lab whose `realm` and `slapd` are one domain."""

    def _build_realm(self, clockskew):
        self.realm = self.slapd = Domain(
            f"{self.directory}/domain", f"{ROOT}/schema/gatewarden-ad.ldif",
            people=PEOPLE,
            services={"gateway": ["socks/gw.example.com"], "gatewarden": []},
            keytabs={self.keytab: ["socks/gw.example.com"],
                     self.directory_keytab: ["gatewarden"]})

    def _build_directory(self, entries):
        self.slapd.modify(groups() + (rules(self.place) if entries is None
                                      else entries))

    def _directory_settings(self):
        return {"uri": [self.slapd.uri], "ca_file": self.slapd.ca_file,
                "bind": "gssapi", "client_keytab": self.directory_keytab,
                "rule_base": RULES, "user_base": samba.PEOPLE,
                "user_filter": "(userPrincipalName=%p)",
                "group_base": GROUPS, "poll_interval": 1,
                # For what a busy controller does not tell.
                "reread_interval": 5,
                "cache_ttl": 2, "negative_ttl": 1}
