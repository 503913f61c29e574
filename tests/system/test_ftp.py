# SPDX-License-Identifier: ISC
"""FTP in active mode through BIND: vsftpd calls back tnftp, which knows
nothing of SOCKS and runs under Dante's socksify.

Debian's socksify has no GSSAPI: the lab's client seals for it, or it proves
itself by a password.
"""

import hashlib
import os

from tests.lab import ftp
from tests.lab.bridge import Bridge
from tests.lab.pam import write_stack
from tests.lab.slapd import rule
from tests.lab.suite import behaviour, expect, expect_equal

SERVER = "10.77.0.21"
RULES = (rule("ftp", gwCommand=["connect", "bind"],
              gwDestination=f"{SERVER}/32", gwPrincipal=["alice@EXAMPLE.COM", "alice@pam"]) +
         rule("passive", gwDestination=f"{SERVER}/32",
              gwPrincipal="carol@EXAMPLE.COM"))
LAB = {"entries": RULES, "settings": {
    "listener clear": {"protection_minimum": "none"}}}

server = None


def served(lab):
    global server
    if server is None:
        os.mkdir(f"{lab.directory}/ftp")
        server = ftp.Server(f"{lab.directory}/ftp", SERVER)
        lab.targets.append(server)
    return server


def content(path):
    with open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()


def fetch_and_store(lab, name, proxy, **options):
    """A file of a megabyte from the server, and back to it."""
    at = served(lab)
    work = f"{lab.directory}/{name}"
    os.mkdir(work)
    with open(f"{at.root}/{name}", "wb") as out:
        out.write(os.urandom(1 << 20))
    said = ftp.transfer(work, at, proxy, [
        "dir", f"get {name} fetched", f"put fetched in/{name}"], **options)
    expect(os.path.exists(f"{work}/fetched"), f"the file came:\n{said}")
    expect_equal(content(f"{work}/fetched"), content(f"{at.root}/{name}"),
                 "what was fetched")
    expect_equal(content(f"{at.root}/in/{name}"),
                 content(f"{at.root}/{name}"), "what was stored")
    expect("PORT" in at.log() or "EPRT" in at.log(), "active mode")
    return said


@behaviour
def files_come_and_go_in_active_mode_at_every_level(lab):
    for level, listener in [(0, "clear"), (1, "main"), (2, "main"),
                            (3, "main")]:
        bridge = Bridge(lab, level=level, listener=listener)
        before = len(lab.audit.records())
        fetch_and_store(lab, f"level{level}", bridge.address)
        bridge.close()
        calls = [r for r in lab.audit.records()[before:]
                 if r["event"] == "bind-peer"]
        expect_equal([r["outcome"] for r in calls], ["ok"] * 3,
                     "a listing and two files")
        expect_equal({r["rule"] for r in calls}, {"ftp"}, "the rule")


@behaviour
def who_may_only_connect_gets_no_file_in_active_mode(lab):
    at = served(lab)
    bridge = Bridge(lab, user="carol")
    work = f"{lab.directory}/carol"
    os.mkdir(work)
    with open(f"{at.root}/carol", "w") as out:
        out.write("not for her")
    said = ftp.transfer(work, at, bridge.address, ["get carol fetched"])
    bridge.close()
    expect("230" in said, f"she is logged in:\n{said}")
    expect(not os.path.exists(f"{work}/fetched") or
           os.path.getsize(f"{work}/fetched") == 0, "nothing came")
    lab.audit.wait_for(identity="carol@EXAMPLE.COM", event="decision",
                       command="bind", reason="denied_no_rule")


@behaviour(start=False, entries=RULES, settings={
    "listener words": {"methods": ["gssapi", "password"]}})
def files_come_and_go_without_a_bridge_by_a_password(lab):
    stack = f"{lab.directory}/pam"
    os.mkdir(stack)
    write_stack(stack, "alice", "correct horse")
    lab.gateway.settings["password"] = {"service": "words",
                                        "service_dir": stack}
    lab.gateway.write_settings()
    lab.start()
    fetch_and_store(
        lab, "words", lab.listeners["words"], method="username",
        env={"SOCKS_USERNAME": "alice", "SOCKS_PASSWORD": "correct horse"})
    calls = lab.audit.find(event="bind-peer", identity="alice@pam")
    expect_equal([(r["outcome"], r["method"]) for r in calls],
                 [("ok", "password")] * 3, "a listing and two files")
