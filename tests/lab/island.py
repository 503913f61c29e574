# SPDX-License-Identifier: ISC
"""An island: network and mounts of our own, where a lab disturbs nobody.

Loopback is up; 10.77.0.0/16 and fd77::/64 are local without being any
interface's addresses; 10.99.0.1 and fd99::1 are this host's own; 10.78.0.0/16
is unreachable, and there is no way to anywhere else.
"""

import ctypes
import os
import sys

from tests.lab.process import LabError, run

_IP = "/sbin/ip"
_UNSHARE = ["/usr/bin/unshare", "--net", "--mount",
            "--propagation", "unchanged"]
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


def command(*argv):
    """What starts argv on an island; this process stays where it is."""
    ordinary = [] if os.getuid() == 0 else \
        ["--map-current-user", "--keep-caps"]
    return [*_UNSHARE, *ordinary, "--", *argv]


def command_of_root(*argv):
    """The same as root; an ordinary user becomes it by sudo, and it leaves
    nothing in the tree that is not theirs."""
    if os.getuid() == 0:
        return command(*argv)
    return ["sudo", "-n", "--", "/usr/bin/env", f"PATH={os.environ['PATH']}",
            "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
            *_UNSHARE, "--", *argv]


def settle():
    """Called on a new island: makes the network."""
    # In a chroot / is no mount point, and then nothing was shared either.
    os.system("mount --make-rprivate / 2>/dev/null")
    for arguments in [
            "link set lo up",
            "addr add 10.99.0.1/32 dev lo",
            "-6 addr add fd99::1/128 dev lo nodad",
            "route add local 10.77.0.0/16 dev lo",
            "-6 route add local fd77::/64 dev lo",
            "route add unreachable 10.78.0.0/16",
            "-6 route add unreachable fd78::/64"]:
        run(_IP, *arguments.split())
    # A domain's controller has ports of root's.
    if os.getuid() != 0:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
                  "w") as out:
            out.write("0")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def check():
    """Says plainly why islands cannot be made here."""
    try:
        run(*command("/bin/true"))
    except LabError as error:
        raise LabError(
            "The system tests need a network and mount namespace of their "
            "own:\nrun them as root, or allow user namespaces to ordinary "
            f"users.\n{error}") from None


def check_root(names):
    """Says plainly which files are root's, where nobody can become it."""
    try:
        run(*command_of_root("/bin/true"))
    except (LabError, OSError) as error:
        raise LabError(
            "These tests need root (users, PAM stacks):\nrun them as root, or "
            f"allow sudo without a password.\n{' '.join(names)}\n"
            f"{error}") from None


if __name__ == "__main__":
    # island.py PROGRAM ARGUMENT...: runs it on an island
    settle()
    os.execv(sys.argv[1], sys.argv[1:])
