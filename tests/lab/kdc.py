# SPDX-License-Identifier: ISC
"""A realm with its KDC, principals, keytabs and tickets."""

import os

from tests.lab.process import Program, accepts, free_port, run

KRB5_CONF = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 clockskew = {clockskew}
 ticket_lifetime = 10h
 forwardable = true
 default_ccache_name = FILE:{directory}/ccache
 spake_preauth_groups = edwards25519
[realms]
{realms}
[domain_realm]
 .example.com = {realm}
[capaths]
 EVIL.EXAMPLE = {{
  EXAMPLE.COM = .
 }}
"""

KDC_CONF = """\
[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = {address}:{port}
[realms]
 {realm} = {{
  database_name = {directory}/principal
  key_stash_file = {directory}/stash
  acl_file = {directory}/kadm5.acl
  max_life = 24h
  max_renewable_life = 7d
  master_key_type = aes256-cts-hmac-sha1-96
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  spake_preauth_indicator = spake
 }}
[logging]
 kdc = FILE:{directory}/kdc.log
 admin_server = FILE:{directory}/kadmin.log
"""


class Realm:
    """One KDC.  `peers`: realms that this one's krb5.conf knows too."""

    def __init__(self, directory, realm="EXAMPLE.COM", clockskew=300,
                 peers=(), address="127.0.0.1", port=None):
        self.directory, self.realm = directory, realm
        self.address, self.port = address, port or free_port()
        self.config = f"{directory}/krb5.conf"
        self.clockskew, self.peers = clockskew, list(peers)
        os.mkdir(directory, 0o755)
        with open(f"{directory}/kdc.conf", "w") as out:
            out.write(KDC_CONF.format(**vars(self)))
        self.write_config()
        self.env = {**os.environ, "KRB5_CONFIG": self.config,
                    "KRB5_KDC_PROFILE": f"{directory}/kdc.conf"}
        run("/usr/sbin/kdb5_util", "create", "-s", "-r", realm, "-P", "master",
            env=self.env)
        self.program = None
        self.start()

    def write_config(self):
        realms = "".join(
            f" {r.realm} = {{\n  kdc = {r.address}:{r.port}\n }}\n"
            for r in [self, *self.peers])
        with open(self.config, "w") as out:
            out.write(KRB5_CONF.format(realms=realms, **{
                key: value for key, value in vars(self).items()
                if key != "realms"}))

    def start(self, env=()):
        self.program = Program(
            "krb5kdc", ["/usr/sbin/krb5kdc", "-n", "-r", self.realm],
            f"{self.directory}/krb5kdc.out", env={**self.env, **dict(env)})
        self.program.ready_when(lambda: accepts(self.address, self.port))

    def stop(self):
        self.program.stop()

    def kadmin(self, *commands):
        return run("/usr/sbin/kadmin.local", "-r", self.realm, env=self.env,
                   input="\n".join(commands) + "\n")

    def add_user(self, name, password=None, options=""):
        secret = f"-pw {password}" if password else "-randkey"
        self.kadmin(f"addprinc {options} {secret} {name}")

    def add_service(self, name, keytab):
        self.kadmin(f"addprinc -randkey {name}", f"ktadd -k {keytab} {name}")

    def new_key(self, name, keytab, keep_old=True):
        """A new key version in the database and in the keytab."""
        self.kadmin(f"ktadd -k {keytab} {name}")
        if not keep_old:
            self.kadmin(f"ktremove -k {keytab} {name} old")

    def kinit(self, name, password, ccache, *options):
        """A ticket for `name` in the credential cache `ccache`."""
        run("/usr/bin/kinit", "-c", ccache, *options, name, env=self.env,
            input=f"{password}\n")
        return ccache
