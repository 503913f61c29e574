# SPDX-License-Identifier: ISC
"""The gateway itself, from a build tree, with settings a test may change."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from tests.lab.process import LabError, Program, children, wait_until

PROGRAMS = ["gatewarden", "gatewardenctl", "gatewarden-agent",
            "gatewarden-metrics",
            "gatewarden-gateway", "gatewarden-authenticator", "gatewarden-directory-watch",
            "gatewarden-directory-lookup", "gatewarden-auditor",
            "gatewarden-kerberos-check", "gatewarden-directory-check",
            "gatewarden-password-checker"]

# Where the lab runs as root each program becomes one of these; no such
# users need exist.
USERS = {"gateway": 64101, "authenticator": 64102, "directory": 64103,
         "auditor": 64104}

# Programs are not dumpable, so that the leak checker cannot look at them.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99:"
                    "log_path={directory}/sanitizer/report",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:"
                     "log_path={directory}/sanitizer/report",
}


def copy_programs(source, directory):
    """The built programs, where every user of the lab can reach them."""
    os.makedirs(directory, 0o755)
    for name in PROGRAMS:
        shutil.copy(f"{source}/{name}", f"{directory}/{name}")
        os.chmod(f"{directory}/{name}", 0o755)
    return directory


def give(path, role, mode):
    """Only that program may read (or enter) it, where we are root."""
    os.chmod(path, mode)
    if os.getuid() == 0:
        os.chown(path, USERS[role], USERS[role])


class Raw(str):
    """A value that stands in the settings as it is, right or wrong."""


def _text(value):
    if isinstance(value, Raw):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(_text(v) for v in value) + "}"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def print_settings(settings):
    """{section: {name: value}}; "listener NAME" is a section too."""
    lines = []
    for section, rows in settings.items():
        lines.append(section + " {")
        lines += [f"\t{name} = {_text(value)}" for name, value in rows.items()]
        lines.append("}")
    return "\n".join(lines) + "\n"


class Gateway:
    """A running gateway: master and all its programs."""

    def __init__(self, directory, programs, settings, audit, env=None):
        self.directory, self.programs = directory, programs
        self.settings, self.audit = settings, audit
        os.makedirs(f"{directory}/state", 0o755)
        os.makedirs(f"{directory}/sanitizer")
        os.chmod(f"{directory}/sanitizer", 0o1777)
        self.path = f"{directory}/gatewarden.conf"
        self.program = None
        self.inherits = ()  # descriptors that the master gets
        self.wrapper = []  # what starts the master, such as prlimit
        self.env = {**os.environ, **(env or {}),
                    **{key: value.format(directory=directory)
                       for key, value in SANITIZERS.items()}}
        self.write_settings()

    def write_settings(self, text=None):
        with open(f"{self.path}.new", "w") as out:
            out.write(text or print_settings(self.settings))
        os.rename(f"{self.path}.new", self.path)

    @property
    def log(self):
        return f"{self.directory}/gatewarden.log"

    def log_text(self):
        with open(self.log, errors="replace") as source:
            return source.read()

    def start(self, ready=True):
        self.program = Program(
            "gatewarden",
            [*self.wrapper, f"{self.programs}/gatewarden", "-c", self.path, "-L",
             self.programs], self.log, env=self.env,
            inherits=self.inherits)
        if ready:
            self.wait_ready()

    def wait_ready(self, seconds=30):
        """Until a greeting is answered by every listener."""
        for name, rows in self.settings.items():
            if name.startswith("listener "):
                host, port = split_address(rows["address"])
                speaks = refuses_clear if "tls_certificate" in rows else greets
                self.program.ready_when(lambda: speaks(host, port), seconds)

    def stop(self):
        """Ends it; its exit status must be 0 and no sanitizer may have
        spoken."""
        status = self.program.stop()
        self.assert_sane()
        if status != 0:
            raise AssertionError(
                f"gatewarden ended with {status}:\n{self.program.tail()}")

    def assert_sane(self):
        reports = glob.glob(f"{self.directory}/sanitizer/*")
        if reports:
            with open(reports[0], errors="replace") as report:
                raise AssertionError(f"a sanitizer says:\n{report.read()}")
        found = [line for line in self.log_text().splitlines()
                 if re.search(r"must\(|AddressSanitizer|runtime error|"
                           r"no audit record", line)]
        if found:
            raise AssertionError("\n".join(found[:20]))

    def check(self, settings=None, *arguments, action="--check",
              wrapper=()):
        """gatewarden --check, beside the running one, of its settings or
        others (as text, too): exit status, output, complaints."""
        path = self.path
        if settings:
            path = f"{self.directory}/checked.conf"
            with open(path, "w") as out:
                out.write(settings if isinstance(settings, str)
                          else print_settings(settings))
        done = subprocess.run(
            [*wrapper, f"{self.programs}/gatewarden", action, "-c", path, "-L",
             self.programs, *arguments], text=True, env=self.env, timeout=60,
            capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def check_policy(self, *arguments, settings=None):
        """gatewarden --check-policy: its exit status and what it said."""
        status, said, complaints = self.check(
            settings, *arguments, action="--check-policy")
        return status, said + complaints

    def ctl(self, *words, status=0, **options):
        """What gatewardenctl answers, or complains of; it has to end with
        that status (None: any).  Other options are subprocess.run's."""
        done = subprocess.run(
            [f"{self.programs}/gatewardenctl", "--socket",
             self.settings["control"]["socket"], *words],
            capture_output=True, text=True, timeout=60, env=self.env,
            **options)
        if status is not None and done.returncode != status:
            raise AssertionError(
                f"gatewardenctl {' '.join(words)} ended with "
                f"{done.returncode}: {done.stderr}")
        # 1 is for what was looked for and found; 65, with --json, tells
        # what was refused.
        return done.stdout if done.returncode in (0, 1) or done.stdout \
            else done.stderr

    def ctl_json(self, *words, **options):
        return json.loads(self.ctl(*words, "--json", **options))

    # Programs

    def pids(self, program):
        """Of a program such as "authenticator"; in the order of start."""
        return sorted(pid for pid, name in children(self.program.pid)
                      if name == f"gatewarden-{program}")

    def kill(self, program):
        """kill -9 of all of that program; waits until each is back."""
        before = self.pids(program)
        if not before:
            raise LabError(f"no gatewarden-{program} is running")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(self.pids(program)) >= len(before) and
                   not set(before) & set(self.pids(program)),
                   f"{program} is back", 10, 0.005)

    def reload(self):
        """SIGHUP; returns when it was taken or refused."""
        before = len(self.reloads())
        self.program.signal(signal.SIGHUP)
        wait_until(lambda: len(self.reloads()) > before,
                   "the reload is on record")
        return self.reloads()[-1]

    def reloads(self):
        return self.audit.find(event="reload")

    def memory(self, program="gateway"):
        """Resident kilobytes of all of that program."""
        total = 0
        for pid in self.pids(program):
            with open(f"/proc/{pid}/status") as status:
                total += int(re.search(r"VmRSS:\s+(\d+)",
                                       status.read()).group(1))
        return total

    def statistics(self):
        """The last line of counters: {name: value}."""
        lines = [line for line in self.log_text().splitlines()
                 if "statistics: " in line]
        words = lines[-1].split() if lines else []
        return {name: int(value) for name, _, value in
                (word.partition("=") for word in words) if value}

    def seconds_of_cpu(self, program="gateway"):
        """User and system time of all of that program so far."""
        ticks = 0
        for pid in self.pids(program):
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def descriptors(self, program="gateway"):
        """Open descriptors of all of that program; only root may look."""
        return sum(len(os.listdir(f"/proc/{pid}/fd"))
                   for pid in self.pids(program))


def split_address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def greets(host, port):
    """Does a gateway answer a greeting there?"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(2)
        try:
            probe.connect((host, port))
            probe.sendall(b"\x05\x01\x01")
            return probe.recv(2)[:1] == b"\x05"
        except OSError:
            return False


def refuses_clear(host, port):
    """Does a gateway end what is no TLS there?"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(2)
        try:
            probe.connect((host, port))
            probe.sendall(b"\x05\x01\x01")
            return probe.recv(2) == b""
        except ConnectionResetError:
            return True
        except OSError:
            return False
