# SPDX-License-Identifier: ISC
"""PAM stacks as sites have them, on an island: our own /etc/pam.d and users,
and the daemons that modules ask.

Everything is mounted over the host's files in the island's own mount
namespace, where only the lab sees it.
"""

import os
import secrets
import shutil

from tests.lab import slapd
from tests.lab.process import LabError, Program, run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

# Of the build tree: tests/support/pam/pam_hostile.c says what it does.
MODULE = "tests/support/pam/pam_hostile.so"

# Users of the lab's /etc/passwd, and what follows the hash in /etc/shadow
# (last change, minimum, maximum, warning, inactive, expiry).
USERS = {
    "alice": "19000:0:99999:7:::",
    "bob": "19000:0:99999:7:::",
    "expired": "19000:0:99999:7::19001:",
    "stale": "0:0:99999:7:::",
    "locked": "19000:0:99999:7:::",
}

SERVICES = {
    "unix": """\
auth required pam_unix.so
account required pam_unix.so
""",
    "faillock": """\
auth required pam_faillock.so preauth dir={folder}/faillock deny=3 unlock_time=600 fail_interval=600
auth [success=1 default=bad] pam_unix.so
auth [default=die] pam_faillock.so authfail dir={folder}/faillock deny=3 unlock_time=600 fail_interval=600
auth required pam_permit.so
account required pam_faillock.so dir={folder}/faillock
account required pam_unix.so
""",
    "krb5": """\
auth required pam_krb5.so keytab={folder}/host.keytab no_ccache ignore_k5login
account required pam_krb5.so ignore_k5login
""",
    "ldap": """\
auth required pam_ldap.so
account required pam_ldap.so
""",
    "sss": """\
auth required pam_sss.so
account required pam_sss.so
""",
    "hostile": """\
auth required {module} folder={folder}
account required {module}
""",
}
# As many stacks do, and as the settings' budgets take for granted.
SERVICES["faillock5"] = SERVICES["faillock"].replace("deny=3", "deny=5")

NSLCD_CONF = """\
uid nslcd
gid nslcd
uri {uri}
base {base}
binddn {reader}
bindpw {password}
ssl start_tls
tls_reqcert demand
tls_cacertfile {ca_file}
timelimit 10
bind_timelimit 10
pam_authc_search NONE
"""

SSSD_CONF = """\
[sssd]
services = nss, pam
domains = example.com

[nss]

[pam]
pam_verbosity = 0

[domain/example.com]
id_provider = ldap
ldap_uri = {uri}
ldap_search_base = {base}
ldap_default_bind_dn = {reader}
ldap_default_authtok = {password}
ldap_id_use_start_tls = true
ldap_tls_reqcert = demand
ldap_tls_cacert = {ca_file}
auth_provider = krb5
chpass_provider = none
access_provider = permit
krb5_server = {kdc}
krb5_realm = EXAMPLE.COM
krb5_validate = true
krb5_keytab = {keytab}
krb5_ccname_template = FILE:{folder}/ccaches/%U
cache_credentials = false
"""


def write_stack(folder, name, word):
    """A service "words" in the folder, which knows one user.  It needs no
    mount and no root, and asks a new program for each login; what that says
    of a wrong password PAM takes for an error."""
    os.chmod(folder, 0o755)
    _write(f"{folder}/check", "#!/bin/sh\nread -r word\n"
           f"test \"$PAM_USER\" = '{name}' && test \"$word\" = '{word}'\n",
           0o755)
    _write(f"{folder}/words",
           f"auth required pam_exec.so expose_authtok quiet {folder}/check\n"
           "account required pam_permit.so\n")


def settings(service, user="0"):
    """What a lab needs in its settings for passwords."""
    return {
        "users": {"password_checker": user},
        # The budgets have tests of their own; here PAM is asked.
        "password": {"service": service, "service_dir": "", "timeout": 8,
                     "failure_delay": 50, "failure_delay_max": 100,
                     "pair_burst": 500, "name_burst": 1000,
                     "source_burst": 10000},
        "listener main": {"methods": ["gssapi", "password"]},
    }


def _write(path, text, mode=0o644):
    with open(path, "w") as out:
        out.write(text)
    os.chmod(path, mode)


class Pam:
    """The island's PAM.  `module` is the hostile one of the build tree."""

    def __init__(self, folder, module):
        if os.getuid() != 0:
            raise LabError("pam_unix reads /etc/shadow as root only: the "
                           "tests of PAM's stacks must run as root")
        self.folder = folder
        self.daemons, self.mounts = [], []
        # Like nothing else that stands in memory.
        self.passwords = {name: f"{name}-{secrets.token_hex(12)}"
                          for name in USERS}
        for name in ["", "faillock", "pam.d", "ccaches"]:
            os.mkdir(f"{folder}/{name}")
            os.chmod(f"{folder}/{name}", 0o755)
        os.chmod(f"{folder}/ccaches", 0o1777)
        # Where every user of the lab can reach it.
        self.module = shutil.copy(module, f"{folder}/pam_hostile.so")
        for name, text in SERVICES.items():
            _write(f"{folder}/pam.d/{name}",
                   text.format(folder=folder, module=self.module))
        shutil.copy(f"{ROOT}/examples/gatewarden.pam",
                    f"{folder}/pam.d/gatewarden")
        self._bind(f"{folder}/pam.d", "/etc/pam.d")
        self._add_users()

    def _bind(self, source, target):
        run("/bin/mount", "--bind", source, target)
        self.mounts.append(target)

    def _empty(self, target, mode):
        run("/bin/mount", "-t", "tmpfs", "-o", f"mode={mode}", "lab", target)
        self.mounts.append(target)

    def _add_users(self):
        def passwd(number, name):
            return f"{name}:x:{number}:{number}:{name}:/:/usr/sbin/nologin\n"

        def shadow(_, name):
            hashed = "!" if name == "locked" else run(
                "/usr/bin/openssl", "passwd", "-6", "-stdin",
                input=self.passwords[name]).strip()
            return f"{name}:{hashed}:{USERS[name]}\n"

        for file, mode, line in [("passwd", 0o644, passwd),
                                 ("shadow", 0o600, shadow)]:
            with open(f"/etc/{file}") as source:
                # Without those of a lab that runs beside this one.
                text = "".join(row for row in source
                               if row.split(":")[0] not in USERS)
            text += "".join(line(number, name)
                            for number, name in enumerate(USERS, 31000))
            _write(f"{self.folder}/{file}", text, mode)
            self._bind(f"{self.folder}/{file}", f"/etc/{file}")

    def faillock(self, *arguments):
        return run("/usr/sbin/faillock", "--dir", f"{self.folder}/faillock",
                   *arguments)

    # Daemons

    def join_realm(self, realm):
        """Our host has a key, and krb5.conf demands a KDC that knows it."""
        realm.add_service("host/pam.example.com",
                          f"{self.folder}/host.keytab")
        realm.write_config()
        with open(realm.config) as source:
            text = source.read()
        _write(realm.config, text.replace(
            "[libdefaults]\n",
            "[libdefaults]\n verify_ap_req_nofail = true\n", 1))

    @staticmethod
    def leave_realm(realm):
        """The KDC does not know our host's key any more, as if it were
        another's KDC that answers."""
        realm.kadmin("change_password -randkey host/pam.example.com")

    def start_nslcd(self, directory):
        path = f"{self.folder}/nslcd.conf"
        _write(path, NSLCD_CONF.format(
            uri=directory.uri, base=slapd.SUFFIX, reader=slapd.READER,
            password=slapd.READER_PASSWORD, ca_file=directory.ca_file), 0o600)
        self._bind(path, "/etc/nslcd.conf")
        os.makedirs("/run/nslcd", exist_ok=True)
        self._empty("/run/nslcd", 755)
        shutil.chown("/run/nslcd", "nslcd", "nslcd")
        daemon = Program("nslcd", ["/usr/sbin/nslcd", "-d"],
                         f"{self.folder}/nslcd.log")
        self.daemons.append(daemon)
        daemon.ready_when(lambda: os.path.exists("/run/nslcd/socket"))

    def start_sssd(self, directory, realm):
        self._empty("/var/lib/sss", 755)
        for name, mode in [("db", 0o700), ("pipes", 0o755),
                           ("pipes/private", 0o700), ("mc", 0o755),
                           ("pubconf", 0o755), ("gpo_cache", 0o755),
                           ("keytabs", 0o700), ("secrets", 0o700),
                           ("deskprofile", 0o755),
                           ("pubconf/krb5.include.d", 0o755)]:
            os.mkdir(f"/var/lib/sss/{name}")
            os.chmod(f"/var/lib/sss/{name}", mode)
        self._empty("/var/log/sssd", 700)
        keytab = f"{self.folder}/host.keytab"
        path = f"{self.folder}/sssd.conf"
        _write(path, SSSD_CONF.format(
            uri=directory.uri, base=slapd.SUFFIX, reader=slapd.READER,
            password=slapd.READER_PASSWORD, ca_file=directory.ca_file,
            kdc=f"{realm.address}:{realm.port}", keytab=keytab,
            folder=self.folder), 0o600)
        # Its own /run: it leaves its pid there, for any other sssd to see.
        daemon = Program("sssd", ["/usr/bin/unshare", "--mount",
                                  "--propagation", "unchanged",
                                  "/bin/sh", "-c",
                                  'mount -t tmpfs lab /run && exec "$@"',
                                  "sh", "/usr/sbin/sssd", "-i", "-c", path],
                         f"{self.folder}/sssd.log",
                         env={**os.environ, "KRB5_CONFIG": realm.config})
        self.daemons.append(daemon)
        daemon.ready_when(
            lambda: os.path.exists("/var/lib/sss/pipes/pam") and
            os.path.exists("/var/lib/sss/pipes/private/pam"))

    def close(self):
        for daemon in self.daemons:
            daemon.stop()
        for target in reversed(self.mounts):
            run("/bin/umount", "-l", target)
        self.daemons, self.mounts = [], []


def posix_person(uid, number, password):
    """An entry that nslcd and sssd take for a user, as LDIF."""
    return (f"dn: uid={uid},{slapd.PEOPLE}\n"
            "objectClass: inetOrgPerson\nobjectClass: posixAccount\n"
            f"cn: {uid}\nsn: {uid}\nuid: {uid}\nuidNumber: {number}\n"
            f"gidNumber: {number}\nhomeDirectory: /\n"
            f"userPassword: {password}\n\n")
