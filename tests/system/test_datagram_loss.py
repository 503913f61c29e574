# SPDX-License-Identifier: ISC
"""Sealed datagrams that get lost, repeated, reordered, changed and replayed
on their way: none is delivered twice, and all that come in time are.
tests/long/datagram_shim does the same with a million."""

import re

from tests.lab.datagrams import NO_ORDER, rules, run_lossy
from tests.lab.lab import Island
from tests.lab.socks import FLAGS
from tests.lab.suite import behaviour, expect, expect_equal

DATAGRAMS = 20000

LAB = {"entries": rules(Island)}


def goes_well(lab, level, flags=NO_ORDER):
    is_good, said, summary = run_lossy(lab, level, DATAGRAMS, flags)
    expect(is_good, said)
    print(said, end="")
    # In time, and late but taken; then the same of the way back.
    delivered = [int(count) for count in
                 re.findall(r"of these delivered (\d+)", said)]
    expect_equal(int(summary["datagrams_to_target"]), sum(delivered[:2]),
                 "datagrams on record")
    expect("replay" in summary["detail"], summary["detail"])


@behaviour
def at_every_level_none_comes_twice(lab):
    for level in [1, 2, 3]:
        goes_well(lab, level)


@behaviour
def nor_for_a_client_that_asked_for_sequence(lab):
    goes_well(lab, 2, FLAGS)
