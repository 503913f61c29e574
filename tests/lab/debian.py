# SPDX-License-Identifier: ISC
"""The Debian packages: built, installed into a minimal Debian, and told of a
realm and a directory.  Needs root and a way to the packages."""

import os
import shutil
import socket
import subprocess
import sys
import threading

from tests.lab import slapd
from tests.lab.kdc import Realm
from tests.lab.process import run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

# What a machine of QEMU calls this host's loopback.
HOST = "10.0.2.2"
RULES = f"ou=gatewarden,{slapd.SUFFIX}"
LDIF = f"""\
dn: olcDatabase={{1}}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by * read

"""
ENTRIES = f"""\
dn: {RULES}
objectClass: organizationalUnit

{slapd.person('alice')}{slapd.group('staff', slapd.user_dn('alice'))}\
dn: cn=staff,{RULES}
objectClass: gwRule
cn: staff
gwAction: permit
gwGroup: {slapd.group_dn('staff')}
gwPrincipal: alice@pam
gwDestination: 127.0.0.1/32
gwDestination: {HOST}/32

"""


def step(sentence):
    print(f"== {sentence}", flush=True)


def prove(condition, sentence):
    if not condition:
        sys.exit(f"== NOT SO: {sentence}")
    print(f"   {sentence}".rstrip(), flush=True)


class Tree:
    """The minimal Debian."""

    def __init__(self, directory):
        self.path = f"{directory}/tree"
        run("/usr/sbin/debootstrap", "--variant=minbase", "bookworm",
            self.path)
        # No daemon is started by its package.
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        with open(f"{self.path}/etc/hosts", "a") as out:
            out.write("127.0.0.1 localhost gw.example.com\n")

    def argv(self, *words):
        return ["/usr/sbin/chroot", self.path, "/usr/bin/env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb",
                "DEBIAN_FRONTEND=noninteractive",
                "KRB5CCNAME=FILE:/root/ccache",
                "GATEWARDEN_GATEWAY=gw.example.com", *words]

    def run(self, *words, **options):
        return run(*self.argv(*words), **options)

    def write(self, path, text, mode=0o644):
        with open(self.path + path, "w") as out:
            out.write(text)
        os.chmod(self.path + path, mode)

    def has(self, path):
        return os.path.exists(self.path + path)

    def install(self, debs):
        for deb in debs:
            shutil.copy(deb, f"{self.path}/root")
        self.run("apt-get", "-q", "-y", "--no-install-recommends", "install",
                 *[f"/root/{os.path.basename(deb)}" for deb in debs])


def install_tools():
    """On this host."""
    run(f"{ROOT}/tests/lab/install")
    run(f"{ROOT}/tests/lab/install", "packages-debian")


def build(directory, version=None):
    """The packages; of a version with an entry of its own in the
    changelog."""
    source = f"{directory}/gatewarden"
    arguments = ["-us", "-uc"]
    if version is None:
        run("/usr/bin/git", "clone", "-q", ROOT, source)
    else:
        arguments += ["-b", "-nc"]
        with open(f"{source}/debian/changelog") as before:
            text = before.read()
        with open(f"{source}/debian/changelog", "w") as out:
            out.write(text.replace("(0.1.0)", f"({version})"))
    done = subprocess.run(
        ["/usr/bin/dpkg-buildpackage", *arguments], cwd=source,
        env={**os.environ, "DEB_BUILD_OPTIONS": "parallel=2"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"dpkg-buildpackage failed:\n{done.stdout[-4000:]}")
    version = version or "0.1.0"
    return [f"{directory}/{name}_{version}_amd64.deb"
            for name in ["gatewarden", "gatewarden-agent"]]


def look(directory):
    done = subprocess.run(
        ["/usr/bin/lintian", "--allow-root", "--fail-on", "error,warning", "-I",
         f"{directory}/gatewarden_0.1.0_amd64.changes"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="")
    if done.returncode != 0:
        sys.exit("lintian has found something")


class World:
    """KDC, directory and a target, outside of the tree, on its loopback."""

    def __init__(self, directory):
        self.realm = Realm(f"{directory}/realm")
        self.keytab = f"{directory}/gw.keytab"
        for command in ["addprinc -pw alice alice",
                        "addprinc -randkey socks/gw.example.com",
                        f"ktadd -k {self.keytab} socks/gw.example.com"]:
            run("/usr/sbin/kadmin.local", "-r", self.realm.realm, "-q",
                command, env=self.realm.env)
        self.slapd = slapd.Directory(
            f"{directory}/slapd", f"{ROOT}/schema/gatewarden.ldif")
        self.slapd.start()
        self.modify("cn=config", LDIF)
        self.modify(slapd.ADMIN, ENTRIES, "-a")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.target = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def modify(self, who, text, *options):
        run("/usr/bin/ldapmodify", "-x", "-H", self.slapd.uri, "-D", who,
            "-w", slapd.ADMIN_PASSWORD, *options, input=text)

    def serve(self):
        """Sends back what comes, for each connection by itself."""
        while True:
            connection, _ = self.server.accept()
            threading.Thread(target=self.echo, args=[connection],
                             daemon=True).start()

    @staticmethod
    def echo(connection):
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def enter(self, tree):
        """What an administrator brings along: krb5.conf, keys, a CA."""
        shutil.copy(self.realm.config, f"{tree.path}/etc/krb5.conf")
        shutil.copy(self.slapd.ca_file,
                    f"{tree.path}/usr/local/share/ca-certificates/lab.crt")
        tree.run("update-ca-certificates")
        shutil.copy(self.keytab, f"{tree.path}/root/gw.keytab")
        tree.run("install", "-o", "gatewarden-auth", "-m", "600",
                 "/root/gw.keytab", "/etc/gatewarden/krb5.keytab")
        run("/usr/bin/kinit", "-c", f"FILE:{tree.path}/root/ccache", "alice",
            env=self.realm.env, input="alice\n")


def edit(tree, world, uri=None):
    """Realm, directory and base; each stands there once."""
    path = f"{tree.path}/etc/gatewarden/gatewarden.conf"
    with open(path) as source:
        text = source.read()
    for before, after in [("{EXAMPLE.COM}", f"{{{world.realm.realm}}}"),
                          ("ldap://ldap.example.com", uri or world.slapd.uri),
                          ("dc=example,dc=com\"\n", f"{slapd.SUFFIX}\"\n")]:
        if before not in text:
            sys.exit(f"{path} has no {before}")
        text = text.replace(before, after, 1)
    with open(path, "w") as out:
        out.write(text)
