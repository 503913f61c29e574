# SPDX-License-Identifier: ISC
"""The whole lab in one object, from the realm to the gateway."""

import os
import shutil
import socket
import tempfile

from tests.lab import slapd, targets
from tests.lab.dns import Names
from tests.lab.gateway import (Gateway, copy_programs, give, split_address,
                               USERS)
from tests.lab.kdc import Realm
from tests.lab.pam import MODULE, Pam
from tests.lab.process import LabError, free_port
from tests.lab.rsyslog import Syslog
from tests.lab.slapd import (Directory, group, group_dn, person, rule,
                             user_dn)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SERVICE = "socks@gw.example.com"

# Passwords are the same as the names.
PEOPLE = ["alice", "bob", "mallory", "carol"]


# What checks passwords where a test has no stack of its own: the KDC.
PAM_SERVICE = """\
auth required pam_krb5.so keytab={keytab} no_ccache ignore_k5login
account required pam_permit.so
"""


class Loopback:
    """Where targets live on a host's own loopback.  Those addresses are
    special, so that rules must name them one by one."""
    web, web6 = "127.0.0.80", "::1"
    plain, plain6 = "127.0.0.81", "::1"
    forbidden = "127.0.0.99"
    networks = ["127.0.0.80/32", "127.0.0.81/32", "127.0.0.99/32", "::1/128"]


class Island:
    """Where targets live on an island (tests/lab/island.py): networks that
    are nobody's interface, so that they are not special."""
    web, web6 = "10.77.0.80", "fd77::80"
    plain, plain6 = "10.77.0.81", "fd77::81"
    forbidden = "10.77.9.9"
    networks = ["10.77.0.0/16", "fd77::/64"]


def people():
    return ("".join(person(uid) for uid in PEOPLE) +
            group("engineers", user_dn("alice"), user_dn("carol")) +
            group("staff", group_dn("engineers")) +
            group("contractors", user_dn("bob")))


def rules(place):
    """Staff may reach the lab's networks and names; nobody the forbidden
    address; contractors only what is sealed well."""
    return (
        rule("forbidden", "deny", gwOrder=10,
             gwDestination=[f"{place.forbidden}/32", "payroll.example.com"]) +
        rule("staff", gwGroup=group_dn("staff"),
             gwDestination=[*place.networks, "*.example.com"]) +
        rule("contractors", gwGroup=group_dn("contractors"),
             gwProtection="confidentiality",
             gwDestination=f"{place.web}/32"))


def names(place):
    return {
        "www.example.com": [place.web, place.web6],
        "four.example.com": [place.web],
        "six.example.com": [place.web6],
        "alias.example.com": ["@www.example.com"],
        "payroll.example.com": [place.forbidden],
        "www.elsewhere.example": [place.web],
    }


class Lab:
    """`settings` changes single settings: {"session": {"idle_timeout": 5}};
    `entries` replaces the rules; parts that a test does not need can be left
    out by closing them; without `syncprov` the directory has to be polled;
    `pam` brings users and PAM stacks along."""

    def __init__(self, programs, place=Island, settings=None, entries=None,
                 clockskew=300, start=True, keep=False, pam=False,
                 syncprov=True):
        self.keep = keep
        self.syncprov = syncprov
        self.place = place
        self.service = SERVICE
        self.directory = tempfile.mkdtemp(prefix="gatewarden-lab.")
        os.chmod(self.directory, 0o755)
        self.tickets = {}
        self.targets = []
        self.syslog = self.slapd = self.realm = self.names = None
        self.gateway = self.pam = None
        try:
            if pam:
                self.pam = Pam(f"{self.directory}/pam", f"{programs}/{MODULE}")
            self._build(programs, settings or {}, entries, clockskew)
            if start:
                self.start()
        except BaseException:
            self.close(quietly=True)
            raise

    def _build(self, programs, settings, entries, clockskew):
        at = self.directory
        self.keytab = f"{at}/gatewarden.keytab"
        self.directory_keytab = f"{at}/directory.keytab"
        self._build_realm(clockskew)
        give(self.keytab, "authenticator", 0o400)
        give(self.directory_keytab, "directory", 0o400)
        os.mkdir(f"{at}/pam.d", 0o755)
        with open(f"{at}/pam.d/gatewarden", "w") as out:
            out.write(PAM_SERVICE.format(keytab=self.keytab))
        self.use()
        for name in PEOPLE:
            self.kinit(name)
        self._build_directory(entries)
        self.syslog = Syslog(f"{at}/syslog")
        self.syslog.start()
        self.audit = self.syslog.audit
        self.names = Names(names(self.place))
        self.built = programs
        self.programs = copy_programs(programs, f"{at}/programs")
        self.gateway = Gateway(f"{at}/gateway", self.programs,
                               self._settings(settings), self.audit,
                               env={"KRB5_CONFIG": self.realm.config})

    def _build_realm(self, clockskew):
        at = self.directory
        self.realm = Realm(f"{at}/realm", clockskew=clockskew)
        commands = [f"addprinc -pw {name} {name}" for name in PEOPLE]
        # The agent's default is the gateway's host as people write it.
        for name in ["socks/gw.example.com", "rcmd/gw.example.com",
                     "host/gw.example.com", "HTTP/gw.example.com",
                     "socks/127.0.0.1"]:
            commands += [f"addprinc -randkey {name}",
                         f"ktadd -k {self.keytab} {name}"]
        commands += ["addprinc -randkey ldap/127.0.0.1",
                     f"ktadd -k {at}/ldap.keytab ldap/127.0.0.1",
                     "addprinc -randkey gatewarden/gw.example.com",
                     f"ktadd -k {self.directory_keytab} "
                     "gatewarden/gw.example.com"]
        self.realm.kadmin(*commands)

    def _build_directory(self, entries):
        at = self.directory
        self.slapd = Directory(
            f"{at}/slapd", f"{ROOT}/schema/gatewarden.ldif",
            realm=self.realm, syncprov=self.syncprov)
        shutil.copy(f"{at}/ldap.keytab", self.slapd.keytab)
        self.slapd.start()
        # Over the wire, so that memberOf is made too.
        self.slapd.modify(people() + (rules(self.place) if entries is None
                                      else entries))

    def _directory_settings(self):
        return {"uri": [self.slapd.uri], "ca_file": self.slapd.ca_file,
                "bind": "simple", "bind_dn": slapd.READER,
                "password_file": self.slapd.password_file,
                "rule_base": slapd.RULES, "user_base": slapd.PEOPLE,
                "group_base": slapd.GROUPS, "poll_interval": 1,
                "cache_ttl": 2, "negative_ttl": 1}

    def _settings(self, changes):
        settings = {
            "gateway": {"workers": 2, "drain_timeout": 0, "log_level": "debug",
                        "state_dir": f"{self.directory}/gateway/state"},
            "control": {"socket": f"{self.directory}/gateway/run/control"},
            "kerberos": {"keytab": self.keytab,
                         "config": self.realm.config},
            "password": {"service_dir": f"{self.directory}/pam.d"},
            "resolver": {"servers":
                         f"{self.names.address}:{self.names.port}"},
            "directory": self._directory_settings(),
            "audit": {"target": self.syslog.target_unix,
                      "format": "rfc5424"},
            "listener main": {"address": f"127.0.0.1:{free_port()}"},
        }
        if os.getuid() == 0:
            settings["users"] = {role: str(uid)
                                 for role, uid in USERS.items()}
        for section, rows in changes.items():
            settings.setdefault(section, {}).update(rows)
            if section.startswith("listener "):
                settings[section].setdefault(
                    "address", f"127.0.0.1:{free_port()}")
            for name in [n for n, value in rows.items() if value is None]:
                del settings[section][name]
        return settings

    def use(self):
        """Makes this lab the one that this process's gssapi looks at."""
        os.environ["KRB5_CONFIG"] = self.realm.config

    def start(self):
        self.gateway.start()
        self.audit.wait_for(event="reload", outcome="ok")

    @property
    def listeners(self):
        return {section.split()[1]: split_address(rows["address"])
                for section, rows in self.gateway.settings.items()
                if section.startswith("listener ")}

    def kinit(self, name, *options, called=None):
        """A ticket of `name`, under that name or `called`."""
        called = called or name
        self.tickets[called] = self.realm.kinit(
            name, name, f"{self.directory}/cc.{called}", *options)

    def target(self, kind=None, address=None, port=0):
        """A target of the lab; closed with it."""
        made = targets.Target(address or self.place.web, port, kind)
        self.targets.append(made)
        return made

    def echo(self, address=None, port=0):
        """A target of datagrams."""
        made = targets.Echo(address or self.place.web, port)
        self.targets.append(made)
        return made

    def acceptor(self, address=None, backlog=128):
        made = targets.Acceptor(address or self.place.web, 0, backlog)
        self.targets.append(made)
        return made

    def close(self, quietly=False):
        failure = None
        try:
            if self.gateway and self.gateway.program:
                self.gateway.stop()
                if self.audit.records():
                    self.audit.assert_gapless()
        except (AssertionError, OSError) as error:
            failure = error
        for part in self.targets:
            try:
                part.close()
            except OSError:
                pass
        for part in [self.syslog, self.slapd, self.realm]:
            if part and part.program:
                part.stop()
        if self.names:
            self.names.close()
        if self.pam:
            self.pam.close()
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        if failure and not quietly:
            raise failure

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close(quietly=kind is not None)


def assert_no_ipv6_surprise():
    """The lab needs ::1."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError as error:
            raise LabError(f"no IPv6 on loopback: {error}") from None
