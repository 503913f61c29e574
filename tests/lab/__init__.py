# SPDX-License-Identifier: ISC
"""A throw-away lab: KDC, directory, syslog, names, targets, and a gateway.

Everything lives in one temporary directory and on loopback (or on an island:
a network of its own), on ports that were free, and is gone when it is closed.
"""
