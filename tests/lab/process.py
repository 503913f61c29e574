# SPDX-License-Identifier: ISC
"""Programs of the lab: started, waited for, stopped; none outlives us."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class LabError(Exception):
    """The lab itself does not work; says what to look at."""


def wait_until(question, what, seconds=10, pause=0.02):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)


def free_port(address="127.0.0.1"):
    """A port that is free, and below those that the kernel gives away."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket(family) as probe:
            try:
                probe.bind((address, port))
                return port
            except OSError:
                continue
    raise LabError(f"no free port on {address}")


def accepts(address, port):
    """Does somebody listen there?"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def run(*argv, env=None, input=None, check=True):
    """Runs to its end; what it said comes back, or in the error."""
    done = subprocess.run(argv, env=env, input=input, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: exit code {done.returncode}\n"
                       f"{done.stdout}")
    return done.stdout


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A daemon in the foreground, its output in a log of the lab."""

    def __init__(self, name, argv, log, env=None, inherits=()):
        self.name, self.log = name, log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, preexec_fn=_die_with_parent, pass_fds=inherits)

    @property
    def pid(self):
        return self.popen.pid

    def is_alive(self):
        return self.popen.poll() is None

    def ready_when(self, question, seconds=20):
        def answer():
            if not self.is_alive():
                raise LabError(f"{self.name} ended at its start:\n"
                               f"{self.tail()}")
            return question()
        try:
            wait_until(answer, f"{self.name} is ready", seconds)
        except AssertionError as error:
            raise LabError(f"{error}\n{self.tail()}") from None

    def tail(self, lines=40):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def signal(self, number):
        os.kill(self.pid, number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self, seconds=10):
        """Asks it to end, then insists.  Returns its exit status."""
        if self.is_alive():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()

    def kill(self):
        self.popen.kill()
        self.popen.wait()


def adopt_orphans():
    """Grandchildren whose parent died become our children."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children(pid=None):
    """Direct children: (pid, program's name)."""
    pid = pid or os.getpid()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", errors="replace") as stat:
                text = stat.read()
            with open(f"/proc/{entry}/cmdline", errors="replace") as line:
                command = line.read().split("\0")[0]
        except OSError:
            continue
        name, rest = text.rpartition(")")[0::2]
        if int(rest.split()[1]) == pid and rest.split()[0] != "Z":
            found.append((int(entry), os.path.basename(command)))
    return found


def lives(pid):
    """Is it there, and not only waited for?"""
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end_children(seconds=5):
    """Kills whatever is left below us; returns what there was."""
    left = children()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid, _ in children():
            os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            break
        time.sleep(0.02)
    return left
