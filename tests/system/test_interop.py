# SPDX-License-Identifier: ISC
"""Real clients that Debian packages; tests/interop/run has more of them."""

import subprocess

from tests.interop import clients
from tests.lab.suite import behaviour, expect

LAB = clients.LAB


def try_all(lab, cases):
    place = clients.Place(lab)
    try:
        for case in cases:
            result = clients.run(place, case)
            expect(result.as_expected, f"{case.client}: {result}")
    finally:
        place.close()


@behaviour
def clients_that_have_a_ticket_get_what_they_can(lab):
    try_all(lab, clients.GSSAPI)


@behaviour
def clients_that_have_a_password_get_in(lab):
    try_all(lab, clients.PASSWORDS)


@behaviour
def curl_without_a_ticket_gets_in_by_its_password_in_the_end(lab):
    """It offers none, gssapi and the password, and cannot do gssapi."""
    place = clients.Place(lab)
    host, port = place.gateway("both")
    tries = []
    for _ in range(3):
        tries.append(subprocess.run(
            ["/usr/bin/curl", "-sS", "-m", "20", "--noproxy", "",
             "--interface", "127.0.0.2", "-x",
             f"socks5h://alice:alice@{host}:{port}", place.url], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={"KRB5CCNAME": "FILE:/nonexistent"}).stdout)
        place.closing()
    expect(tries == ["", "", clients.PAGE], f"{tries}")
    record = lab.audit.wait_for(event="open", listener="both")
    expect(record["method"] == "password", f"{record}")


@behaviour
def clients_that_prove_nothing_get_nothing(lab):
    try_all(lab, clients.NONE)
