# SPDX-License-Identifier: ISC
"""The clients that can be had here as real programs, and how each is made to
fetch one page through the gateway.

Those that are Debian packages serve tests/system/test_interop.py too; the
others live in the scratch folder that tests/interop/prepare fills.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field

from tests.lab import targets
from tests.lab.lab import Island, rules
from tests.lab.slapd import group_dn, rule
from tests.lab.socks import Client
from tests.lab.sshd import sshd

PAGE = "the page\n"
REQUEST = "GET / HTTP/1.0\r\n\r\n"
SERVICE_HOST = "gw.example.com"

# Of the lab that the cases need; more than one listener serves no client.
LAB = {"entries": rules(Island) + rule(
    "datagrams", gwGroup=group_dn("staff"), gwCommand="udp",
    gwDestination=[f"{Island.web}/32"]), "settings": {
    "listener none": {"protection_minimum": "none",
                      "protection_maximum": "none"},
    # The same people as those with tickets.
    "password": {"realm": "EXAMPLE.COM", "failure_delay": 100},
    "listener password": {"methods": ["password"], "allow_clear_udp": True},
    "listener both": {"methods": ["gssapi", "password"]},
    "listener nec": {"nec_level_from": ["127.0.0.0/8"]},
    "listener spnego": {"allow_spnego": True},
}}


@dataclass
class Command:
    argv: list
    env: dict = field(default_factory=dict)
    given: str = ""


class Place:
    """What the clients are pointed at, and where their files are."""

    def __init__(self, lab, scratch=None):
        self.lab, self.scratch = lab, scratch
        self._sshd = self.echo = None
        self.web = targets.Web(lab.place.web, page=PAGE)
        lab.targets.append(self.web)
        self.host, self.port = "www.example.com", self.web.port
        self.url = f"http://{self.host}:{self.port}/"
        self.url_by_address = f"http://{self.web.address}:{self.port}/"
        self.ticket = {"KRB5CCNAME": f"FILE:{lab.tickets['alice']}",
                       "KRB5_CONFIG": lab.realm.config}
        # What the lab itself said to the gateway lies before this one.
        with Client(lab) as client:
            client.greet()
            name = client.name
        self._latest = int(lab.audit.wait_for(client=name,
                                              event="close")["session"])

    def closing(self, seconds=10):
        """The record of the end of a session that began since; {} if there
        is none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for record in self.lab.audit.find(event="close"):
                if int(record["session"]) > self._latest:
                    self._latest = int(record["session"])
                    return record
            time.sleep(0.05)
        return {}

    def ssh(self):
        """The program, user, port and folder of an ssh server that has a
        page."""
        if self._sshd is None:
            self._sshd = sshd(self.lab)
            at = self._sshd[3]
            with open(f"{at}/page", "w") as out:
                out.write(PAGE)
            os.chmod(f"{at}/page", 0o644)
        return self._sshd

    def close(self):
        if self._sshd is not None:
            self._sshd[0].stop()

    def gateway(self, listener):
        return self.lab.listeners[listener]

    def file(self, name, text):
        path = f"{self.lab.directory}/{name}"
        with open(path, "w") as out:
            out.write(text)
        return path

    def tool(self, path):
        """A program or library of the scratch folder's packages."""
        return f"{self.scratch}/root/{path}"

    def libraries(self):
        return self.tool("usr/lib/x86_64-linux-gnu")


@dataclass
class Case:
    client: str
    version: callable  # of the place: text
    method: str
    wish: str          # what it is told to ask for
    listener: str
    command: callable  # of the place and the case: Command
    served: bool = True
    hints: tuple = ("",)  # one of them the record must have
    reason: str = ""      # that the record must have
    note: str = ""
    scratch: bool = False
    protection: str = ""  # that the record must have


@dataclass
class Result:
    case: Case
    version: str
    served: bool
    protection: str
    mechanism: str
    hint: str
    reason: str
    said: str

    @property
    def as_expected(self):
        return (self.served == self.case.served and
                self.hint in self.case.hints and
                self.case.reason in ("", self.reason) and
                (not self.case.protection or
                 self.protection == self.case.protection))


def package(name):
    """The version of an installed package."""
    def version(_):
        return upstream(subprocess.run(
            ["/usr/bin/dpkg-query", "-f", "${Version}", "-W", name],
            text=True, stdout=subprocess.PIPE).stdout)
    return version


def unpacked(name):
    """The version of a package in the scratch folder."""
    def version(place):
        for file in os.listdir(f"{place.scratch}/packages"):
            if file.startswith(f"{name}_"):
                return upstream(file.split("_")[1])
        return "?"
    return version


def upstream(version):
    """Without epoch, packaging and date: "7.8.git20221117+dfsg-2" is 7.8."""
    return re.match(r"(?:\d+(?:%3a|:))?([\d.]*\d(?:beta\d+|p\d+)?)",
                    version + "?").group(1)


def ours(_):
    return "this tree"


def fetch(place, *more):
    """curl that is told nothing of a proxy; another program adds it."""
    return ["/usr/bin/curl", "-sS", "-m", "20", "--noproxy", "*", *more,
            place.url_by_address]


DATAGRAM = """\
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)
    s.sendto(sys.argv[3].encode(), (sys.argv[1], int(sys.argv[2])))
    print(s.recvfrom(1000)[0].decode(), end="")
"""


def datagram(place):
    """A program that is told nothing of a proxy, and a datagram's echo."""
    if place.echo is None:
        place.echo = place.lab.echo(place.lab.place.web)
    return ["/usr/bin/python3", "-c", DATAGRAM, place.echo.address,
            str(place.echo.port), PAGE]


# GSSAPI

def agent(place, case):
    host, port = place.gateway(case.listener)
    return Command([f"{place.lab.programs}/gatewarden-agent", "connect",
                    "--protection", case.wish, place.host, str(place.port)],
                   {**place.ticket, "GATEWARDEN_GATEWAY": f"{host}:{port}"},
                   REQUEST)


def heimdal(place, case):
    host, port = place.gateway(case.listener)
    realm = place.lab.realm
    config = place.file("heimdal.conf", f"""\
[libdefaults]
 default_realm = {realm.realm}
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
[realms]
 {realm.realm} = {{
  kdc = tcp/{realm.address}:{realm.port}
 }}
[domain_realm]
 .example.com = {realm.realm}
""")
    level = {"integrity": "1", "confidentiality": "2"}[case.wish]
    return Command(
        [f"{place.scratch}/heimdal_client", host, str(port),
         f"socks@{SERVICE_HOST}", level, place.host, str(place.port),
         *(["spnego"] if case.listener == "spnego" else [])],
        {**place.ticket, "KRB5_CONFIG": config,
         "LD_LIBRARY_PATH": place.libraries()})


def dante_config(place, case, more=""):
    """Dante names the service after the gateway's name, which it wants to
    look up: tests/interop/run puts it into /etc/hosts."""
    _, port = place.gateway(case.listener)
    via = SERVICE_HOST if case.method == "gssapi" else "127.0.0.1"
    name = "username" if case.method == "password" else case.method
    return place.file("dante.conf", f"""\
route {{
  from: 0.0.0.0/0 to: 0.0.0.0/0 via: {via} port = {port}
  proxyprotocol: socks_v5
  protocol: tcp udp
  method: {name}
  {more}
}}
""")


def fetched_or_echoed(place, case):
    if "(UDP)" in case.wish + case.client:
        return datagram(place)
    return fetch(place)


def dante(place, case):
    nec = case.wish.endswith("(NEC)")
    wish = case.wish.split(" (")[0]
    more = f"gssapi.enctype: {'clear' if wish == 'none' else wish}"
    if nec:
        more += "\n  clientcompatibility: necgssapi"
    return Command(fetched_or_echoed(place, case), {
        **place.ticket, "SOCKS_CONF": dante_config(place, case, more),
        "LD_LIBRARY_PATH": f"{place.scratch}/dante/lib",
        "LD_PRELOAD": f"{place.scratch}/dante/lib/libdsocks.so"})


def curl_gssapi(place, case):
    host, port = place.gateway(case.listener)
    return Command(
        ["/usr/bin/curl", "-sS", "-m", "20", "--noproxy", "",
         "--socks5-gssapi", "--socks5-gssapi-service", f"rcmd/{SERVICE_HOST}",
         "-x", f"socks5h://{host}:{port}", place.url], place.ticket)


def curl_of_today(place, case):
    """Names the service after the gateway's name, as Dante does."""
    _, port = place.gateway(case.listener)
    nec = ["--socks5-gssapi-nec"] if case.listener == "nec" else []
    return Command(
        [f"{place.scratch}/curl/bin/curl", "-sS", "-m", "20", "--noproxy", "",
         "--socks5-gssapi", *nec, "-x", f"socks5h://{SERVICE_HOST}:{port}",
         place.url], place.ticket)


def version_of_curl(place):
    said = subprocess.run([f"{place.scratch}/curl/bin/curl", "--version"],
                          text=True, stdout=subprocess.PIPE).stdout
    return said.split()[1]


def openssh(place, proxy_command, env):
    """The page comes by sftp."""
    _, user, port, at = place.ssh()
    fetched = f"{place.lab.directory}/fetched"
    return Command(
        ["/bin/sh", "-c", f"rm -f {fetched}; "
         f"printf 'get {at}/page {fetched}\\n' | sftp -q -b - -F none "
         f"-i {at}/key -P {port} -o UserKnownHostsFile={at}/known "
         "-o StrictHostKeyChecking=accept-new -o IdentitiesOnly=yes "
         f"-o 'ProxyCommand={proxy_command}' {user}@{place.host} && "
         f"cat {fetched}"], env)


def openssh_agent(place, case):
    host, port = place.gateway(case.listener)
    return openssh(place, f"{place.lab.programs}/gatewarden-agent connect "
                   "%h %p", {**place.ticket,
                             "GATEWARDEN_GATEWAY": f"{host}:{port}"})


# Without a password

def nc(place, case):
    host, port = place.gateway(case.listener)
    return Command(["/bin/nc.openbsd", "-N", "-X", "5", "-x", f"{host}:{port}",
                    place.host, str(place.port)], given=REQUEST)


def openssh_nc(place, case):
    host, port = place.gateway(case.listener)
    return openssh(place, f"/bin/nc.openbsd -X 5 -x {host}:{port} %h %p", {})


NONE_ONLY = "knows no method but none, which is never served"
NONE = [
    Case(name, version, "none", "-", "main", command, served=False,
         hints=("only_none",), reason="no_method", note=NONE_ONLY)
    for name, version, command in [
        ("nc -X 5", package("netcat-openbsd"), nc),
        ("OpenSSH, ProxyCommand nc -X 5", package("openssh-client"),
         openssh_nc)]
]


# Passwords

NAME, PASSWORD = "alice", "alice"


def curl_password(place, case):
    host, port = place.gateway(case.listener)
    more = [] if case.listener == "both" else ["--socks5-basic"]
    return Command(
        ["/usr/bin/curl", "-sS", "-m", "20", "--noproxy", "", *more,
         "-x", f"socks5h://{NAME}:{PASSWORD}@{host}:{port}", place.url])


def socksify(place, case):
    return Command(["/usr/bin/socksify", *fetched_or_echoed(place, case)], {
        "SOCKS_CONF": dante_config(place, case),
        "SOCKS_USERNAME": NAME, "SOCKS_PASSWORD": PASSWORD})


def proxychains(place, case):
    host, port = place.gateway(case.listener)
    config = place.file("proxychains.conf", f"""\
strict_chain
quiet_mode
proxy_dns
[ProxyList]
socks5 {host} {port} {NAME} {PASSWORD}
""")
    return Command(["/usr/bin/proxychains4", "-q", "-f", config, *fetch(place)])


def tsocks(place, case):
    host, port = place.gateway(case.listener)
    config = place.file("tsocks.conf", f"""\
local = 127.0.0.0/255.0.0.0
server = {host}
server_port = {port}
server_type = 5
default_user = {NAME}
default_pass = {PASSWORD}
""")
    return Command(["/usr/bin/tsocks", *fetch(place)],
                   {"TSOCKS_CONF_FILE": config})


PYSOCKS = """\
import socks, sys
s = socks.socksocket()
s.set_proxy(socks.SOCKS5, sys.argv[1], int(sys.argv[2]), True,
            sys.argv[3], sys.argv[4])
s.connect((sys.argv[5], int(sys.argv[6])))
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
while data := s.recv(65536):
    sys.stdout.write(data.decode())
"""


def pysocks(place, case):
    host, port = place.gateway(case.listener)
    return Command(["/usr/bin/python3", "-c", PYSOCKS, host, str(port), NAME,
                    PASSWORD, place.host, str(place.port)])


def ncat(place, case):
    host, port = place.gateway(case.listener)
    return Command(
        [place.tool("usr/bin/ncat"), "--proxy", f"{host}:{port}",
         "--proxy-type", "socks5", "--proxy-auth", f"{NAME}:{PASSWORD}",
         "--proxy-dns", "remote", place.host, str(place.port)],
        {"LD_LIBRARY_PATH": place.libraries()}, REQUEST)


def connect_proxy(place, case):
    host, port = place.gateway(case.listener)
    return Command(
        [place.tool("usr/bin/connect-proxy"), "-5", "-R", "remote", "-S",
         f"{NAME}@{host}:{port}", place.host, str(place.port)],
        {"SOCKS5_USER": NAME, "SOCKS5_PASSWORD": PASSWORD}, REQUEST)


def openssh_connect_proxy(place, case):
    host, port = place.gateway(case.listener)
    return openssh(
        place, f"{place.tool('usr/bin/connect-proxy')} -5 -R remote -S "
        f"{NAME}@{host}:{port} %h %p",
        {"SOCKS5_USER": NAME, "SOCKS5_PASSWORD": PASSWORD})


PASSWORDS = [
    Case(name, version, "password", "-", "password", command)
    for name, version, command in [
        ("curl --socks5-basic", package("curl"), curl_password),
        ("Dante socksify", package("dante-client"), socksify),
        ("Dante socksify (UDP)", package("dante-client"), socksify),
        ("proxychains4", package("proxychains4"), proxychains),
        ("tsocks", package("tsocks"), tsocks),
        ("PySocks", package("python3-socks"), pysocks)]
]

PASSWORDS_FROM_SCRATCH = [
    Case(name, version, "password", "-", "password", command, scratch=True)
    for name, version, command in [
        ("ncat", unpacked("ncat"), ncat),
        ("connect-proxy", unpacked("connect-proxy"), connect_proxy),
        ("OpenSSH, ProxyCommand connect-proxy", package("openssh-client"),
         openssh_connect_proxy)]
]

GSSAPI = [
    Case("gatewarden-agent", ours, "gssapi", wish, "main", agent,
         protection=wish)
    for wish in ["integrity", "selective", "confidentiality"]
] + [
    Case("OpenSSH, ProxyCommand gatewarden-agent", package("openssh-client"),
         "gssapi", "confidentiality", "main", openssh_agent,
         protection="confidentiality"),
] + [
    Case("curl --socks5-gssapi", package("curl"), "gssapi", "-", listener,
         curl_gssapi, served=False, hints=("curl_7_69", "curl_old"),
         note=note)  # where it stops depends on luck
    for listener, note in [
        ("main", "broken from 7.69 to 8.15; use the agent or a password"),
        ("none", "no better by a listener that grants none")]
]

GSSAPI_FROM_SCRATCH = [
    Case("own client on Heimdal", unpacked("libgssapi3-heimdal"), "gssapi",
         wish, "main", heimdal, scratch=True, protection=wish)
    for wish in ["integrity", "confidentiality"]
] + [
    Case("own client on Heimdal, SPNEGO", unpacked("libgssapi3-heimdal"),
         "gssapi", "confidentiality", "spnego", heimdal, scratch=True,
         protection="confidentiality", note="needs `allow_spnego`"),
] + [
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         wish, "main", dante, scratch=True, protection=wish)
    for wish in ["integrity", "confidentiality"]
] + [
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         f"{wish} (UDP)", "main", dante, scratch=True, protection=wish)
    for wish in ["integrity", "confidentiality"]
] + [
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         "none", "main", dante, scratch=True, served=False, hints=("clear_wish",),
         note="configured for none, it ignores what is granted"),
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         "none", "none", dante, scratch=True, protection="none",
         note="a listener that grants none"),
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         "confidentiality", "none", dante, scratch=True,
         protection="confidentiality",
         note="granted none, it keeps to its own wish"),
    Case("Dante socksify with GSSAPI", unpacked("dante-client"), "gssapi",
         "confidentiality (NEC)", "nec", dante, scratch=True,
         protection="confidentiality", note="needs `nec_level_from`"),
] + [
    Case("curl --socks5-gssapi, built", version_of_curl, "gssapi", wish,
         listener, curl_of_today, served=False, hints=("curl_8_20",),
         scratch=True, note="goes on in clear whatever is granted")
    for wish, listener in [("confidentiality", "main"),
                           ("confidentiality (NEC)", "nec")]
] + [
    Case("curl --socks5-gssapi, built", version_of_curl, "gssapi",
         "confidentiality", "none", curl_of_today, scratch=True,
         protection="none", note="a listener that grants none"),
]

CASES = (GSSAPI + GSSAPI_FROM_SCRATCH + PASSWORDS + PASSWORDS_FROM_SCRATCH +
         NONE)


def run(place, case):
    """Runs one client; what came of it."""
    command = case.command(place, case)
    try:
        done = subprocess.run(
            command.argv, input=command.given, text=True, timeout=40,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], **command.env},
            errors="replace")
        said, served = done.stdout, PAGE in done.stdout
    except subprocess.TimeoutExpired as error:
        said, served = f"not within {error.timeout} s", False
    record = place.closing()
    served = served and went_through(
        place.lab.audit.find(session=record.get("session")))
    return Result(case, case.version(place), served,
                  record.get("protection", ""), record.get("mechanism", ""),
                  record.get("hint", ""), record.get("reason", ""),
                  said.strip())


def went_through(records):
    """The page did not come by a way around the gateway."""
    return any(record["event"] == "close" and
               int(record.get("bytes_to_client", 0)) >= len(PAGE) or
               record["event"] == "udp-summary" and
               int(record.get("datagrams_to_client", 0)) == 1
               for record in records)
