# SPDX-License-Identifier: ISC
"""Makes an Active Directory domain's database: samba_database.py SPEC.json.

A program of its own, because Samba's Kerberos and that of the tests do not
live in one process; started with -P, since samba is a file here too.
"""

import json
import logging
import sys

import ldb
import samba.dckeytab  # noqa: F401  (makes Net.export_keytab)
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.net import Net
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB
from samba.sd_utils import SDUtils

AES = "24"  # msDS-SupportedEncryptionTypes: AES-128 and AES-256


def change(samdb, dn, operation, name, values):
    message = ldb.Message(ldb.Dn(samdb, dn))
    message[name] = ldb.MessageElement(values, operation, name)
    samdb.modify(message)


def allow_simple_passwords(samdb):
    samdb.set_minPwdLength("0")
    samdb.set_minPwdAge("0")
    samdb.set_pwdProperties("0")


def fill(samdb, spec):
    base = spec["base"]
    allow_simple_passwords(samdb)
    for name in spec["units"]:
        samdb.add({"dn": f"OU={name},{base}",
                   "objectClass": "organizationalUnit"})
    for name in spec["people"]:
        samdb.newuser(name, name, userou="OU=people", useusernameascn=True)
    for name, principals in spec["services"].items():
        dn = f"CN={name},OU=services,{base}"
        samdb.newuser(name, f"{name}-secret", userou="OU=services",
                      useusernameascn=True)
        change(samdb, dn, ldb.FLAG_MOD_REPLACE,
               "msDS-SupportedEncryptionTypes", AES)
        if principals:
            change(samdb, dn, ldb.FLAG_MOD_ADD, "servicePrincipalName",
                   principals)
    # What is below can be read by the gateway's account, as dsacls /I:T
    # /G ACCOUNT:GR would have it.
    for unit, account in spec["readers"].items():
        found = samdb.search(f"CN={account},OU=services,{base}",
                             ldb.SCOPE_BASE, attrs=["objectSid"])
        sid = samdb.schema_format_value("objectSid", found[0]["objectSid"][0])
        SDUtils(samdb).dacl_add_ace(
            f"OU={unit},{base}", f"(A;CI;RPLCLORC;;;{sid.decode()})")
    # The lab has no names: clients know the controller by its address.
    change(samdb, f"CN=DC1,OU=Domain Controllers,{base}", ldb.FLAG_MOD_ADD,
           "servicePrincipalName", spec["controller_principals"])


def main():
    with open(sys.argv[1]) as source:
        spec = json.load(source)
    lp = LoadParm()
    lp.load(spec["conf"])
    logger = logging.getLogger("provision")
    logger.setLevel(logging.ERROR)
    made = provision(
        logger, system_session(), smbconf=spec["conf"], lp=lp,
        realm=spec["realm"], domain=spec["domain"], hostname="dc1",
        hostip="127.0.0.1", adminpass=spec["admin_password"],
        dns_backend="NONE", serverrole="active directory domain controller",
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2, use_rfc2307=True,
        skip_sysvolacl=True)
    fill(SamDB(url=made.samdb.url, session_info=system_session(), lp=lp), spec)
    net = Net(None, lp)
    for path, principals in spec["keytabs"].items():
        for principal in principals:
            net.export_keytab(keytab=path, principal=principal)


main()
