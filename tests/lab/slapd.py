# SPDX-License-Identifier: ISC
"""A directory with our schema, people, nested groups, and rules."""

import os
import shutil
import urllib.parse

from tests.lab.certificates import make_certificates
from tests.lab.process import Program, accepts, free_port, run

SUFFIX = "dc=example,dc=com"
ADMIN = f"cn=admin,{SUFFIX}"
ADMIN_PASSWORD = "admin-secret"
READER = f"cn=gatewarden,ou=services,{SUFFIX}"
READER_PASSWORD = "reader-secret"
RULES = f"ou=rules,{SUFFIX}"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"

CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: {tls}/ca.pem
olcTLSCertificateFile: {tls}/server.pem
olcTLSCertificateKeyFile: {tls}/server.key
olcSaslHost: {address}
olcSaslRealm: EXAMPLE.COM
olcSaslSecProps: noanonymous
olcIdleTimeout: 0
olcAuthzRegexp: "uid=gatewarden/[^,]*,(cn=[^,]*,)?cn=gssapi,cn=auth" "{reader}"
olcAuthzRegexp: "gidNumber=[0-9]+\\+uidNumber=[0-9]+,cn=peercred,cn=external,cn=auth" "{reader}"

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: memberof
olcModuleLoad: ppolicy
{load_syncprov}
dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif

include: file:///etc/ldap/schema/cosine.ldif

include: file:///etc/ldap/schema/nis.ldif

include: file:///etc/ldap/schema/inetorgperson.ldif

include: file://{gatewarden_schema}

dn: cn=kerberos,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: kerberos
olcAttributeTypes: ( 2.16.840.1.113719.1.301.4.1.1 NAME 'krbPrincipalName' EQUALITY caseExactIA5Match SUBSTR caseExactSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
olcObjectClasses: ( 2.16.840.1.113719.1.301.6.8.1 NAME 'krbPrincipalAux' SUP top AUXILIARY MAY krbPrincipalName )

dn: olcDatabase={{-1}}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {{-1}}frontend
olcSizeLimit: 500

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcRootDN: cn=config
olcRootPW: {admin_password}

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcDbDirectory: {database}
olcDbMaxSize: 104857600
olcDbNoSync: TRUE
olcDbIndex: objectClass eq
olcDbIndex: krbPrincipalName,member,memberOf eq
olcSuffix: {suffix}
olcRootDN: {admin}
olcRootPW: {admin_password}
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by dn.exact="{reader}" read by * none

dn: olcOverlay={{0}}memberof,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: {{0}}memberof
"""

SYNCPROV = """\

dn: olcOverlay={1}syncprov,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: {1}syncprov
"""

TREE = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=services,{SUFFIX}
objectClass: organizationalUnit

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {READER_PASSWORD}

dn: {PEOPLE}
objectClass: organizationalUnit

dn: {GROUPS}
objectClass: organizationalUnit

dn: {RULES}
objectClass: organizationalUnit

"""


def person(uid, principal=None):
    return (f"dn: uid={uid},{PEOPLE}\n"
            "objectClass: inetOrgPerson\nobjectClass: krbPrincipalAux\n"
            f"cn: {uid}\nsn: {uid}\n"
            f"krbPrincipalName: {principal or uid + '@EXAMPLE.COM'}\n\n")


def group(cn, *members):
    return (f"dn: cn={cn},{GROUPS}\nobjectClass: groupOfNames\n" +
            "".join(f"member: {dn}\n" for dn in members) + "\n")


def user_dn(uid):
    return f"uid={uid},{PEOPLE}"


def group_dn(cn):
    return f"cn={cn},{GROUPS}"


def _values(attributes):
    for name, values in attributes.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            yield name, value


def rule(cn, action="permit", **attributes):
    """rule("web", gwDestination=["*.example.com"], gwPort="443") as LDIF."""
    return (f"dn: cn={cn},{RULES}\nobjectClass: gwRule\n"
            f"cn: {cn}\ngwAction: {action}\n" +
            "".join(f"{name}: {value}\n"
                    for name, value in _values(attributes)) + "\n")


def destinations(cn, **attributes):
    """A named set of destinations as LDIF."""
    return (f"dn: cn={cn},{RULES}\nobjectClass: gwDestinations\n"
            f"cn: {cn}\n" +
            "".join(f"{name}: {value}\n"
                    for name, value in _values(attributes)) + "\n")


class Directory:
    """slapd on ldap://, ldaps:// and ldapi://; it tells of its changes if
    it has the overlay syncprov."""

    def __init__(self, directory, schema, realm=None, syncprov=True,
                 tree=TREE):
        self.directory, self.realm = directory, realm
        self.address = "127.0.0.1"
        self.port, self.tls_port = free_port(), free_port()
        self.socket = f"{directory}/ldapi"
        self.uri = f"ldap://{self.address}:{self.port}"
        self.tls_uri = f"ldaps://{self.address}:{self.tls_port}"
        self.ipc_uri = "ldapi://" + urllib.parse.quote(self.socket, safe="")
        self.tls = f"{directory}/tls"
        self.ca_file = f"{self.tls}/ca.pem"
        self.password_file = f"{directory}/reader.password"
        self.keytab = f"{directory}/ldap.keytab"
        self.program = None
        for path in [directory, f"{directory}/config", f"{directory}/data"]:
            os.mkdir(path, 0o755)
        with open(self.password_file, "w") as out:
            out.write(READER_PASSWORD + "\n")
        os.chmod(self.password_file, 0o600)
        make_certificates(self.tls, self.address)
        # A copy: on hosts with AppArmor the packaged path is confined to
        # the packaged directories.
        self.binary = shutil.copy("/usr/sbin/slapd", f"{directory}/slapd")
        self._load("config", "-n0", CONFIG.format(
            load_syncprov="olcModuleLoad: syncprov\n" if syncprov else "",
            tls=self.tls, address=self.address, gatewarden_schema=schema,
            suffix=SUFFIX, admin=ADMIN, admin_password=ADMIN_PASSWORD, reader=READER,
            database=f"{directory}/data") + (SYNCPROV if syncprov else ""))
        if tree:
            self._load("tree", "-n1", tree)

    def _load(self, name, database, text):
        with open(f"{self.directory}/{name}.ldif", "w") as out:
            out.write(text)
        run("/usr/sbin/slapadd", "-F", f"{self.directory}/config", database,
            "-l", f"{self.directory}/{name}.ldif")

    def start(self, uris=None):
        uris = uris or f"{self.uri} {self.tls_uri} {self.ipc_uri}"
        env = {**os.environ}
        if self.realm:
            env["KRB5_CONFIG"] = self.realm.config
            env["KRB5_KTNAME"] = f"FILE:{self.keytab}"
            env["KRB5RCACHENAME"] = "none:"
        self.program = Program(
            "slapd", [self.binary, "-d", "stats", "-F",
                      f"{self.directory}/config", "-h", uris],
            f"{self.directory}/slapd.log", env=env)
        self.program.ready_when(lambda: accepts(self.address, self.port))

    def stop(self):
        self.program.stop()

    def dump(self):
        """All entries as LDIF, as a backup has them."""
        return run("/usr/sbin/slapcat", "-F", f"{self.directory}/config",
                   "-n1")

    def restore(self, text):
        """Another database in place of the one that there is; while slapd is
        down."""
        shutil.rmtree(f"{self.directory}/data")
        os.mkdir(f"{self.directory}/data")
        self._load("restored", "-n1", text)

    def kill(self):
        self.program.kill()

    def modify(self, ldif, bind=ADMIN):
        """Takes LDIF change records (or entries to be added)."""
        run("/usr/bin/ldapmodify", "-a", "-x", "-H", self.uri, "-D", bind,
            "-w", ADMIN_PASSWORD, input=ldif,
            env={**os.environ, "LDAPNOINIT": "1"})

    def delete(self, dn):
        self.modify(f"dn: {dn}\nchangetype: delete\n")

    # What the tests of all worlds do (tests/lab/worlds.py).

    user_dn = staticmethod(user_dn)
    group_dn = staticmethod(group_dn)
    account_filter = "(!(pwdAccountLockedTime=*))"

    rule = staticmethod(rule)
    destinations = staticmethod(destinations)
    group = staticmethod(group)

    @staticmethod
    def rule_dn(cn):
        return f"cn={cn},{RULES}"

    def add_user(self, name):
        self.modify(person(name))

    def lock(self, name):
        self.modify(f"dn: {user_dn(name)}\nchangetype: modify\n"
                    "add: pwdAccountLockedTime\n"
                    "pwdAccountLockedTime: 000001010000Z\n")

    def unlock(self, name):
        self.modify(f"dn: {user_dn(name)}\nchangetype: modify\n"
                    "delete: pwdAccountLockedTime\n")

    def join(self, group, dn):
        self.modify(f"dn: {group_dn(group)}\nchangetype: modify\n"
                    f"add: member\nmember: {dn}\n")

    def leave(self, group, dn):
        self.modify(f"dn: {group_dn(group)}\nchangetype: modify\n"
                    f"delete: member\nmember: {dn}\n")

    def forget_certificates(self):
        """StartTLS and ldaps:// are no more; slapd is started again."""
        self.stop()
        path = f"{self.directory}/config/cn=config.ldif"
        with open(path) as source:
            lines = [line for line in source
                     if not line.startswith(("olcTLS", "# CRC32"))]
        with open(path, "w") as out:
            out.writelines(lines)
        self.start(self.uri)

    def use_certificate(self, name):
        """Presents another certificate from now on."""
        self.modify("dn: cn=config\nchangetype: modify\n"
                    "replace: olcTLSCertificateFile\n"
                    f"olcTLSCertificateFile: {self.tls}/{name}.pem\n-\n"
                    "replace: olcTLSCertificateKeyFile\n"
                    f"olcTLSCertificateKeyFile: {self.tls}/{name}.key\n",
                    bind="cn=config")

    def searches(self):
        """The filters of all searches so far, as slapd logged them."""
        found = []
        with open(self.program.log, errors="replace") as log:
            for line in log:
                if " SRCH base=" in line and "filter=" in line:
                    found.append(line.rpartition('filter="')[2].rstrip()[:-1])
        return found
