# SPDX-License-Identifier: ISC
"""Real clients that Debian packages; tests/interop/run has more of them."""

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
def clients_that_prove_nothing_get_nothing(lab):
    try_all(lab, clients.NONE)
