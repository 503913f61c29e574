# SPDX-License-Identifier: ISC
"""Groups and accounts in a world of MIT Kerberos and OpenLDAP."""

from tests.lab.slapd import Directory
from tests.lab.worlds import *  # noqa: F401,F403  (its behaviours)

LAB = {"settings": {"directory": {
    "account_filter": Directory.account_filter}}}
