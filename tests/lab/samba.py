# SPDX-License-Identifier: ISC
"""An Active Directory domain of Samba: realm and directory in one.

Its controller has fixed ports (88, 389, 636): it lives on an island.
"""

import base64
import json
import os

from tests.lab.kdc import KRB5_CONF
from tests.lab.certificates import make_certificates
from tests.lab.process import Program, accepts, run

REALM = "AD.EXAMPLE.COM"
SUFFIX = "DC=ad,DC=example,DC=com"
ADMIN = f"Administrator@{REALM}"
ADMIN_PASSWORD = "Admin-secret-1"
READER = f"CN=gatewarden,OU=services,{SUFFIX}"
READER_PASSWORD = "gatewarden-secret"
RULES = f"OU=rules,{SUFFIX}"
PEOPLE = f"OU=people,{SUFFIX}"
GROUPS = f"OU=groups,{SUFFIX}"

# What every account of the domain has for its primary group.
DOMAIN_USERS = f"CN=Domain Users,CN=Users,{SUFFIX}"

DISABLED, NORMAL = 0x202, 0x200  # userAccountControl

SMB_CONF = """\
[global]
netbios name = DC1
realm = {realm}
workgroup = AD
server role = active directory domain controller
server services = ldap, cldap, kdc
interfaces = lo
bind interfaces only = yes
private dir = {directory}/private
state directory = {directory}/state
cache directory = {directory}/cache
lock directory = {directory}
pid directory = {directory}
ncalrpc dir = {directory}/ncalrpc
ntp signd socket directory = {directory}/ntp
winbindd socket directory = {directory}/winbindd
log file = {directory}/log
logging = file
tls certfile = {tls}/server.pem
tls keyfile = {tls}/server.key
tls cafile = {tls}/ca.pem
ldap server require strong auth = {strong}
dsdb:schema update allowed = true
[sysvol]
path = {directory}/state/sysvol
[netlogon]
path = {directory}/state/sysvol
"""


def user_dn(name):
    return f"CN={name},{PEOPLE}"


def group_dn(name):
    return f"CN={name},{GROUPS}"


def group(name, *members):
    return (f"dn: {group_dn(name)}\nobjectClass: group\n"
            f"sAMAccountName: {name}\n" +
            "".join(f"member: {dn}\n" for dn in members) + "\n")


def _entry(cn, *lines, **attributes):
    lines = [f"dn: CN={cn},{RULES}", *lines]
    for name, value in attributes.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        lines += [f"{name}: {one}" for one in values]
    return "\n".join(lines) + "\n\n"


def rule(cn, action="permit", **attributes):
    return _entry(cn, "objectClass: gwRule", f"gwAction: {action}",
                  **attributes)


def destinations(cn, **attributes):
    return _entry(cn, "objectClass: gwDestinations", **attributes)


class Domain:
    """samba with its people; `services` are {account: principals} and
    `keytabs` are {file: principals}."""

    def __init__(self, directory, schema, people, services, keytabs):
        self.directory, self.realm = directory, REALM
        self.address, self.port = "127.0.0.1", 389
        self.config = f"{directory}/krb5.conf"
        self.conf = f"{directory}/smb.conf"
        self.tls = f"{directory}/tls"
        self.ca_file = f"{self.tls}/ca.pem"
        self.uri = f"ldap://{self.address}"
        self.tls_uri = f"ldaps://{self.address}"
        self.password_file = f"{directory}/reader.password"
        self.program = None
        self.env = {**os.environ, "KRB5_CONFIG": self.config}
        for path in ["", "/private", "/state", "/cache"]:
            os.mkdir(directory + path, 0o755)
        with open(self.password_file, "w") as out:
            out.write(READER_PASSWORD + "\n")
        os.chmod(self.password_file, 0o600)
        make_certificates(self.tls, self.address)
        os.chmod(f"{self.tls}/server.key", 0o600)
        with open(self.config, "w") as out:
            out.write(KRB5_CONF.format(
                realm=REALM, clockskew=300, directory=directory,
                realms=f" {REALM} = {{\n  kdc = {self.address}:88\n }}\n"))
        self._write_conf()
        self._make(people, services, keytabs)
        self.start()
        self._extend_schema(schema)

    def _write_conf(self):
        # Sealed by SASL inside TLS, too.
        with open(self.conf, "w") as out:
            out.write(SMB_CONF.format(
                realm=REALM, directory=self.directory, tls=self.tls,
                strong="allow_sasl_over_tls"))

    def _make(self, people, services, keytabs):
        spec = f"{self.directory}/spec.json"
        with open(spec, "w") as out:
            json.dump({
                "conf": self.conf, "realm": REALM, "domain": "AD",
                "base": SUFFIX, "admin_password": ADMIN_PASSWORD,
                "units": ["people", "groups", "rules", "services"],
                "people": people, "services": services, "keytabs": keytabs,
                "readers": {"rules": "gatewarden"},
                "controller_principals": [f"ldap/{self.address}"],
            }, out)
        run("/usr/bin/python3", "-BP",
            os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         "samba_database.py"), spec)

    def _extend_schema(self, schema):
        with open(schema) as source:
            self.modify(source.read().replace("DC=X", SUFFIX))

    def start(self):
        self.program = Program(
            "samba", ["/usr/sbin/samba", "-i", "-M", "single",
                      "--no-process-group", "-s", self.conf],
            f"{self.directory}/samba.log", env=self.env)
        for port in [88, 389, 636]:
            self.program.ready_when(lambda: accepts(self.address, port))

    def stop(self):
        self.program.stop()

    def kill(self):
        self.program.kill()

    def modify(self, ldif):
        """Takes LDIF change records (or entries to be added)."""
        run("/usr/bin/ldapmodify", "-a", "-x", "-H", self.tls_uri, "-D",
            ADMIN, "-w", ADMIN_PASSWORD, input=ldif,
            env={**os.environ, "LDAPTLS_CACERT":
                 self.ca_file})

    def delete(self, dn):
        self.modify(f"dn: {dn}\nchangetype: delete\n")

    # What the tests of all worlds do (tests/lab/worlds.py).

    user_dn = staticmethod(user_dn)
    group_dn = staticmethod(group_dn)
    account_filter = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))"

    rule = staticmethod(rule)
    destinations = staticmethod(destinations)
    group = staticmethod(group)

    @staticmethod
    def rule_dn(cn):
        return f"CN={cn},{RULES}"

    def add_user(self, name):
        password = base64.b64encode(f'"{name}"'.encode("utf-16-le")).decode()
        self.modify(f"dn: {user_dn(name)}\nobjectClass: user\n"
                    f"sAMAccountName: {name}\n"
                    f"userPrincipalName: {name}@{REALM.lower()}\n"
                    f"unicodePwd:: {password}\n"
                    f"userAccountControl: {NORMAL}\n")

    def _set_control(self, name, value):
        self.modify(f"dn: {user_dn(name)}\nchangetype: modify\n"
                    "replace: userAccountControl\n"
                    f"userAccountControl: {value}\n")

    def lock(self, name):
        self._set_control(name, DISABLED)

    def unlock(self, name):
        self._set_control(name, NORMAL)

    def join(self, group, dn):
        self.modify(f"dn: {group_dn(group)}\nchangetype: modify\n"
                    f"add: member\nmember: {dn}\n")

    def leave(self, group, dn):
        self.modify(f"dn: {group_dn(group)}\nchangetype: modify\n"
                    f"delete: member\nmember: {dn}\n")

    def kinit(self, name, password, ccache, *options):
        """A ticket for `name` in the credential cache `ccache`."""
        run("/usr/bin/kinit", "-c", ccache, *options, name, env=self.env,
            input=f"{password}\n")
        return ccache
