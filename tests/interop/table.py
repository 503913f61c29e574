# SPDX-License-Identifier: ISC
"""Runs every client on an island, prints the table, and with --write puts it
into README.md.

    python3 -m tests.interop.table PROGRAMS SCRATCH [--write] [-k NAME]
"""

import argparse
import os
import re
import sys

from tests.interop import clients
from tests.lab import island
from tests.lab.lab import Lab, ROOT
from tests.lab.process import adopt_orphans, end_children, run

MARKS = ("<!-- clients -->\n", "<!-- end of clients -->\n")
COLUMNS = ["client", "version", "method", "asks for", "gets", "note"]


def name_the_gateway(lab):
    """On this island only."""
    hosts = f"{lab.directory}/hosts"
    with open(hosts, "w") as out:
        out.write(f"127.0.0.1 {clients.SERVICE_HOST}\n127.0.0.1 localhost\n")
    run("/bin/mount", "--bind", hosts, "/etc/hosts")


def row(result):
    case = result.case
    if not result.served:
        known = case.hints if result.as_expected else (result.hint,)
        gets = "nothing (" + " or ".join(
            f"`{hint or result.reason}`" for hint in known) + ")"
    elif case.method == "gssapi":
        gets = result.protection
    else:
        gets = "served"
    return [case.client, result.version, case.method, case.wish, gets,
            case.note]


def printed(results):
    lines = ["| " + " | ".join(COLUMNS) + " |",
             "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(row(result)) + " |" for result in results]
    return "\n".join(lines) + "\n"


def write(table):
    path = f"{ROOT}/README.md"
    with open(path) as source:
        page = source.read()
    new = re.sub(f"(?<={MARKS[0]}).*?(?={MARKS[1]})",
                 lambda _: "\n" + table + "\n", page, flags=re.S)
    with open(path, "w") as out:
        out.write(new)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("scratch")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-k", default="", help="only names with this in them")
    options = parser.parse_args()
    adopt_orphans()
    island.settle()
    results = []
    with Lab(options.programs, **clients.LAB) as lab:
        name_the_gateway(lab)
        place = clients.Place(lab, options.scratch)
        for case in clients.CASES:
            if options.k not in case.client:
                continue
            results.append(clients.run(place, case))
            if not results[-1].as_expected:
                print(f"{case.client} ({case.wish}, {case.listener}): not as "
                      f"expected: {results[-1]}", file=sys.stderr)
        place.close()
    end_children()
    table = printed(results)
    print(table, end="")
    wrong = sum(not result.as_expected for result in results)
    print(f"{len(results) - wrong} as expected, {wrong} not")
    if options.write and not wrong:
        write(table)
    sys.stdout.flush()
    os._exit(1 if wrong else 0)


if __name__ == "__main__":
    from tests.interop import table
    table.main()
