# SPDX-License-Identifier: ISC
"""Certificate authorities of the lab, and what they issue."""

import os
import shutil

from tests.lab.process import run

_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
_OF_CA = ["basicConstraints=critical,CA:TRUE",
          "keyUsage=critical,keyCertSign"]


def _openssl(*arguments):
    run("/usr/bin/openssl", *arguments)


class Authority:
    """NAME.pem and NAME.key of each, in one folder."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        self.pem = self._make(name, _OF_CA)[0]

    def _make(self, name, extensions, *signed_by):
        at = f"{self.directory}/{name}"
        added = [word for text in extensions for word in ("-addext", text)]
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", f"{at}.key", "-out",
                 f"{at}.pem", "-days", "2", "-subj", f"/CN={name}", *added,
                 *signed_by)
        return f"{at}.pem", f"{at}.key"

    def issue(self, name, alternatives):
        """A certificate for "DNS:one.example.com,IP:192.0.2.1"; it and its
        key."""
        ca = f"{self.directory}/{self.name}"
        return self._make(
            name, [f"subjectAltName={alternatives}",
                   "basicConstraints=critical,CA:FALSE"],
            "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key")

    def expire(self, name, of):
        """As another one is, with the same key, but of yesterday: x509 has
        such days, req has not."""
        ca, at = f"{self.directory}/{self.name}", f"{self.directory}/{name}"
        old = f"{self.directory}/{of}"
        _openssl("x509", "-in", f"{old}.pem", "-copy_extensions", "copyall",
                 "-x509toreq", "-signkey", f"{old}.key", "-out", f"{at}.csr")
        _openssl("x509", "-req", "-in", f"{at}.csr", "-copy_extensions",
                 "copyall", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                 "-days", "-1", "-out", f"{at}.pem")
        shutil.copy(f"{old}.key", f"{at}.key")
        return f"{at}.pem", f"{at}.key"


def make_certificates(directory, address="127.0.0.1"):
    """Of a server at that address: ca, server, another's, and an old one."""
    os.mkdir(directory)
    authority = Authority(directory)
    authority.issue("server", f"IP:{address},DNS:ldap.example.com")
    authority.issue("other", "DNS:other.example.com")
    authority.expire("expired", "server")
