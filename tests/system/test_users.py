# SPDX-License-Identifier: ISC
"""Started by root: each program becomes its own user, for good."""

import os

from tests.lab.gateway import USERS
from tests.lab.process import wait_until
from tests.lab.suite import behaviour, expect, expect_equal

NEEDS_ROOT = True

PROGRAMS = {"gateway": "gateway", "authenticator": "authenticator",
            "directory-watch": "directory", "directory-lookup": "directory",
            "auditor": "auditor"}


def status_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status
                    if ":\t" in line)


@behaviour
def each_program_is_its_own_user_and_cannot_be_another_again(lab):
    for program, role in PROGRAMS.items():
        pids = lab.gateway.pids(program)
        expect(pids, f"{program} runs")
        for pid in pids:
            fields = status_of(pid)
            # Real, effective, saved and the file system's.
            for name in ["Uid", "Gid"]:
                expect_equal(fields[name].split(), [str(USERS[role])] * 4,
                             f"{name} of {program}")
            expect_equal(fields["Groups"].strip(), "",
                         f"other groups of {program}")
            for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"]:
                expect_equal(int(fields[name], 16), 0,
                             f"{name} of {program}")


@behaviour
def check_policy_reads_what_only_root_can(lab):
    """The directory's password, and a file of the administrator's own."""
    path = f"{lab.directory}/candidate.ldif"
    with open(path, "w") as out:
        out.write("dn: cn=a\nobjectClass: gwRule\ncn: a\ngwAction: deny\n"
                  "gwDestination: *\n")
    os.chmod(path, 0o600)
    expect_equal(os.stat(path).st_uid, 0, "whose the file is")
    expect_equal(lab.gateway.check_policy(path), (0, "1 rule is good\n"),
                 "an LDIF file")
    status, said = lab.gateway.check_policy()
    expect(status == 0 and "rules are good" in said, f"{status} {said!r}")


@behaviour
def who_asks_at_the_control_socket_is_what_the_kernel_says(lab):
    control = lab.gateway.settings["control"]
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    member = {**nobody, "extra_groups": [64200]}
    ask = ["policy", "list"]
    expect("only root" in lab.gateway.ctl(*ask, status=77, **member), "why")
    expect("generation" in lab.gateway.ctl(*ask), "root may ask")
    expect("generation" in lab.gateway.ctl(
        *ask, **{**nobody, "user": USERS["gateway"]}), "the gateway may")
    control["read_group"] = "64200"
    lab.gateway.write_settings()
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
    expect("generation" in lab.gateway.ctl(*ask, **member), "a member may")
    lab.gateway.ctl(*ask, status=77, **nobody)
    # The last one is too soon after the first to be on record by itself.
    records = wait_until(lambda: lab.audit.find(event="admin")[3:4] and
                         lab.audit.find(event="admin")[:4], "the records")
    expect_equal([r["outcome"] for r in records],
                 ["fail", "ok", "ok", "ok"], "records")
    expect_equal(records[3]["detail"].split(",")[0], "uid 65534", "who")


@behaviour
def the_keytab_is_the_authenticators_alone(lab):
    wanted = os.stat(lab.keytab)
    expect_equal(wanted.st_mode & 0o077, 0, "mode of the keytab")
    expect_equal(wanted.st_uid, USERS["authenticator"], "the keytab's owner")
    for program in PROGRAMS:
        for pid in lab.gateway.pids(program):
            uid = int(status_of(pid)["Uid"].split()[0])
            expect_equal(uid == wanted.st_uid, program == "authenticator",
                         f"{program} owns the keytab")
