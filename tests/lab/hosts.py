# SPDX-License-Identifier: ISC
"""Hosts on a network of their own: each with its name, its address, its /etc,
/run and /var/lib; a cable that can be pulled.  Root's, on an island."""

import os
import shutil

from tests.lab.process import Program, children, lives, run, wait_until

NETWORK, OURS = "192.0.2.0/24", "192.0.2.254"


def make_network():
    """We are its router, and the networks behind it (tests/lab/island.py)."""
    for arguments in ["link add lan type bridge",
                      f"addr add {OURS}/24 dev lan", "link set lan up"]:
        run("/sbin/ip", *arguments.split())


class Host:
    """`folders` are its own and empty but for /etc, which is a copy of this
    machine's."""

    FOLDERS = ["/run", "/var/lib", "/var/log"]

    def __init__(self, directory, name, address):
        self.directory, self.name, self.address = directory, name, address
        self.programs = []
        os.makedirs(directory)
        shutil.copytree("/etc", f"{directory}/etc", symlinks=True)
        for folder in self.FOLDERS:
            os.makedirs(f"{directory}{folder}")
        bind = " && ".join(f"mount --bind {directory}{folder} {folder}"
                           for folder in ["/etc", *self.FOLDERS])
        self.anchor = Program(
            name, ["/usr/bin/unshare", "--net", "--uts", "--mount", "--",
                   "/bin/sh", "-c", f"hostname {name} && {bind} && "
                   "ip link set lo up && echo ready && exec sleep infinity"],
            f"{directory}/anchor.log")
        self.anchor.ready_when(lambda: "ready" in self.anchor.tail())
        port = name.split(".")[0]
        run("/sbin/ip", *f"link add {port} type veth peer name eth0 netns "
            f"{self.anchor.pid}".split())
        run("/sbin/ip", *f"link set {port} master lan up".split())
        for arguments in [f"addr add {address}/24 dev eth0",
                          "link set eth0 up", f"route add default via {OURS}"]:
            self.run("/sbin/ip", *arguments.split())
        self.port = port

    def command(self, *argv):
        """What runs argv on that host."""
        return ["/usr/bin/nsenter", "-t", str(self.anchor.pid), "--net",
                "--uts", "--mount", "--", *argv]

    def run(self, *argv, **options):
        return run(*self.command(*argv), **options)

    def start(self, name, *argv, env=None):
        """A program whose log is this host's NAME.log."""
        program = Program(name, self.command(*argv),
                          f"{self.directory}/{name}.log", env=env)
        self.programs.append(program)
        return program

    def path(self, path):
        """Of a file of that host, as we see it."""
        return f"{self.directory}{path}"

    def put(self, path, content, mode=0o644, owner=0):
        """A file."""
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w" if isinstance(content, str)
                  else "wb") as out:
            out.write(content)
        os.chmod(self.path(path), mode)
        os.chown(self.path(path), owner, owner)

    def copy(self, source, path, mode=0o644, owner=0):
        with open(source, "rb") as original:
            self.put(path, original.read(), mode, owner)

    def kill(self):
        """-9 for all that runs there, at one moment."""
        doomed = [p.pid for p in self.programs if p.is_alive()]
        for pid in list(doomed):
            doomed += [child for child, _ in children(pid)]
        for pid in doomed:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        for program in self.programs:
            program.popen.wait()
        wait_until(lambda: not any(map(lives, doomed)), "all are dead",
                   pause=0.002)
        self.programs.clear()

    def pull_the_cable(self):
        run("/sbin/ip", "link", "set", self.port, "down")

    def plug_the_cable(self):
        run("/sbin/ip", "link", "set", self.port, "up")

    def stop(self):
        """Its programs end as they like it."""
        while self.programs:
            self.programs.pop().stop()

    def close(self):
        self.stop()
        self.anchor.stop()
