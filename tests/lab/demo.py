# SPDX-License-Identifier: ISC
"""The story that ./demo tells, on a lab on this host's own loopback.

    python3 -m tests.lab.demo PROGRAMS [--once]
"""

import os
import shlex
import signal
import subprocess
import sys
import textwrap

from tests.lab.lab import Lab, Loopback
from tests.lab.process import LabError, adopt_orphans, end_children
from tests.lab.slapd import RULES, rule
from tests.lab.targets import Web

PAGE = "Hello from the other side of the gateway.\n"


def paragraph(text):
    print()
    print(textwrap.fill(" ".join(text.split()), 72))
    print()


def shown(text, indent="      "):
    for line in text.rstrip().splitlines():
        print(f"{indent}{line}".rstrip())


class Demo:
    def __init__(self, programs):
        self.lab = Lab(programs, place=Loopback)
        self.web = Web(Loopback.web, page=PAGE)
        self.lab.targets.append(self.web)
        self.env_file = f"{self.lab.directory}/env"
        gateway = "{}:{}".format(*self.lab.listeners["main"])
        self.variables = {
            "KRB5_CONFIG": self.lab.realm.config,
            "KRB5CCNAME": f"FILE:{self.lab.directory}/ccache",
            "GATEWARDEN_GATEWAY": gateway,
            "GATEWARDEN_CONTROL":
                self.lab.gateway.settings["control"]["socket"],
        }
        with open(self.env_file, "w") as out:
            for name, value in self.variables.items():
                out.write(f"export {name}={shlex.quote(value)}\n")
            out.write(f"PATH={self.lab.programs}:$PATH\n")
        self.env = {**os.environ, **self.variables, "PATH":
                    f"{self.lab.programs}:{os.environ['PATH']}"}
        self.seen = 0

    def run(self, command, given="", show=None):
        """Shows a command as it could be typed, and what it says."""
        print(f"    $ {show or command}")
        done = subprocess.run(["/bin/sh", "-c", command], env=self.env,
                              input=given, text=True, timeout=30,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        shown(done.stdout)
        return done.stdout

    def fetch(self, host):
        request = f"GET / HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n"
        return self.run(f"printf '{request}' | gatewarden-agent connect "
                        f"{host} {self.web.port}")

    def audit(self, of):
        """The session with a decision of that outcome, from its records'
        sentences; returns the records."""
        decision = self.lab.audit.wait_for(event="decision", outcome=of)
        self.lab.audit.wait_for(event="close", session=decision["session"])
        records = self.lab.audit.find(session=decision["session"])
        for record in records:
            print(textwrap.fill(record["_msg"], 76, initial_indent=
                                f"    {record['event']:10}",
                                subsequent_indent=" " * 14,
                                break_on_hyphens=False))
        print()
        return records

    def tell(self):
        print("A lab of its own is running: a KDC for EXAMPLE.COM, an LDAP "
              "directory with\npeople, groups and rules, rsyslogd, a name "
              "server, a web server; and the gateway.")
        paragraph("alice gets a ticket. Her password is alice.")
        self.run("kinit alice", given="alice\n")
        self.run("klist")
        paragraph("alice is an engineer, and engineers are staff. A rule "
                  "lets staff reach www.example.com, so the page comes, "
                  "sealed between her and the gateway:")
        page = self.fetch("www.example.com")
        paragraph("Nobody may reach payroll.example.com:")
        denial = self.fetch("payroll.example.com")
        paragraph("Both are on record in the syslog, in words:")
        self.audit("ok")
        refused = self.audit("fail")
        print("and for programs (this is the refusal):\n")
        print(textwrap.fill(
            next(record for record in refused
                 if record["event"] == "decision")["_raw"], 72,
            initial_indent="    ", subsequent_indent="    ",
            break_on_hyphens=False))
        paragraph("Why? An administrator asks the gateway itself:")
        why = self.run("gatewardenctl explain alice@EXAMPLE.COM connect "
                       f"payroll.example.com:{self.web.port}")
        if "denied_rule" not in why:
            raise LabError("The refusal was not explained.")
        if PAGE.strip() not in page or PAGE.strip() in denial:
            raise LabError("The page did not come, or came twice.")

    def more_to_try(self):
        at = self.lab.directory
        with open(f"{at}/allow-bob.ldif", "w") as out:
            out.write(rule("bob-may-surf", gwPrincipal="bob@EXAMPLE.COM",
                           gwDestination=[f"{Loopback.web}/32"]))
        admin = (f"ldapmodify -x -H {self.lab.slapd.uri} -D "
                 "cn=admin,dc=example,dc=com -w admin-secret")
        port = self.web.port
        print()
        print(f"""The lab goes on running. In another terminal:

    . {self.env_file}
        sets KRB5_CONFIG, the ticket cache and where the gateway and its
        control socket are
    tail -f {at}/syslog/audit.log
        watches the audit trail
    gatewarden-agent connect www.example.com {port}
        is a pipe through the gateway: type "GET / HTTP/1.0" and Enter twice
    kinit mallory      (the password is mallory)
        is somebody whom no rule permits anything
    gatewardenctl explain mallory@EXAMPLE.COM connect www.example.com:{port}
        says why
    {admin} \\
        -a -f {at}/allow-bob.ldif
        adds a rule for bob, which counts from the next second on
    ldapsearch -x -LLL -H {self.lab.slapd.uri} -D cn=admin,dc=example,dc=com \\
        -w admin-secret -b {RULES}
        shows the rules

Ctrl-C here ends it all.""")
        sys.stdout.flush()
        ends = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        signal.sigwait(ends)
        print()


def leave(*_):
    raise SystemExit(130)


def main():
    for number in [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]:
        signal.signal(number, leave)
    adopt_orphans()
    status = 0
    demo = None
    try:
        demo = Demo(sys.argv[1])
        demo.tell()
        if "--once" not in sys.argv[2:]:
            demo.more_to_try()
    except (LabError, AssertionError, OSError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        status = 1
    finally:
        if demo:
            demo.lab.close(quietly=status != 0)
        end_children()
    print("\nEverything is gone again.")
    sys.exit(status)


if __name__ == "__main__":
    main()
