# SPDX-License-Identifier: ISC
"""A client's association whose datagrams go through a network that loses,
repeats, reorders, changes and replays them (tests/support/lossy_client.c)."""

import os
import subprocess

import gssapi.raw as gss

from tests.lab.slapd import group_dn, rule
from tests.lab.socks import Client, FLAGS, UDP

# RFC 1961 has clients of UDP not ask for sequence; others come too.
NO_ORDER = FLAGS - {gss.RequirementFlag.out_of_sequence_detection}
PROTECTIONS = {1: "integrity", 2: "confidentiality", 3: "selective"}


def rules(place):
    return rule("datagrams", gwGroup=group_dn("staff"), gwCommand="udp",
                gwDestination=f"{place.web}/32")


def run_lossy(lab, level, count, flags=NO_ORDER, seconds=200):
    """(is it good, what the program says, the summary on record)."""
    with Client(lab, level=level, flags=flags).ready() as client:
        address, port = client.ask("0.0.0.0", 0, UDP)
        context = f"{lab.directory}/context"
        with open(context, "wb", opener=_privately) as out:
            out.write(gss.export_sec_context(client.context))
        done = subprocess.run(
            [f"{lab.built}/tests/support/lossy_client", context,
             PROTECTIONS[client.granted], str(count),
             f"{client.sock.getsockname()[0]}:0", f"{address}:{port}",
             f"{lab.place.web}:0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds)
        name = client.name
    os.unlink(context)
    return (done.returncode == 0, done.stdout,
            lab.audit.wait_for(client=name, event="udp-summary"))


def _privately(path, flags):
    return os.open(path, flags, 0o600)
