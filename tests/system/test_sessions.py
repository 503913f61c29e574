# SPDX-License-Identifier: ISC
"""Who is in, as an administrator sees it, and the end of some of them."""

import os
import socket
import threading

from tests.lab.process import wait_until
from tests.lab.socks import Client
from tests.lab.suite import behaviour, expect, expect_equal


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def sessions(lab, *words):
    return lab.gateway.ctl_json("sessions", *words)["sessions"]


def connected(lab, spot, user="alice", octets=b"x"):
    client = Client(lab, user)
    client.connect("www.example.com", spot.port)
    client.put(octets)
    expect_equal(client.get(len(octets)), octets, "the echo")
    return client


@behaviour
def sessions_shows_who_is_where_and_how_much_has_moved(lab):
    spot = lab.target(echo)
    with connected(lab, spot, octets=b"x" * 1000) as alice, \
            connected(lab, spot, "carol") as carol:
        seen = {s["user"]: s for s in sessions(lab)}
        expect_equal(set(seen), {"alice@EXAMPLE.COM", "carol@EXAMPLE.COM"},
                     "users")
        mine = seen["alice@EXAMPLE.COM"]
        for name, value in {
                "client": alice.name, "rule": "staff", "step": "relay",
                "command": "connect", "method": "gssapi", "listener": "main",
                "destination": f"www.example.com:{spot.port}",
                "to_target": 1000, "to_client": 1000}.items():
            expect_equal(mine[name], value, name)
        record = lab.audit.wait_for(client=alice.name, event="open")
        expect_equal(str(mine["session"]), record["session"], "its number")
        table = lab.gateway.ctl("sessions")
        expect(alice.name in table and carol.name in table, table)


@behaviour
def sessions_are_chosen_and_sorted(lab):
    spot = lab.target(echo)
    with connected(lab, spot, octets=b"x" * 10) as alice, \
            connected(lab, spot, "carol", octets=b"x" * 5000) as carol:
        def clients(*words):
            return [s["client"] for s in sessions(lab, *words)]

        for words in [["--user", "alice"], ["--user", "alice@EXAMPLE.COM"]]:
            expect_equal(clients(*words), [alice.name], str(words))
        for target in ["www.example.com", f"www.example.com:{spot.port}",
                       spot.address]:
            expect_equal(set(clients("--target", target)),
                         {alice.name, carol.name}, target)
        expect_equal(clients("--target", "www.example"), [], "half a name")
        expect_equal(clients("--user", "ali"), [], "half a user")
        expect_equal(clients("--rule", "no such"), [], "no such rule")
        expect_equal(clients("--sort", "age"), [alice.name, carol.name], "age")
        expect_equal(clients("--sort", "bytes"), [carol.name, alice.name],
                     "bytes")
        number = sessions(lab, "--user", "carol")[0]["session"]
        expect_equal(clients("--session", str(number)), [carol.name], "number")


@behaviour
def who_has_not_asked_yet_is_seen_too(lab):
    with Client(lab) as client:
        client.greet()
        wait_until(lambda: [s["step"] for s in sessions(lab)
                            if s["client"] == client.name] == ["handshake"],
                   "a handshake is seen")


@behaviour
def kill_ends_whom_it_names_and_says_who_did_it(lab):
    spot = lab.target(echo)
    with connected(lab, spot) as alice, connected(lab, spot, "carol") as carol:
        number = sessions(lab, "--user", "alice")[0]["session"]
        killed = lab.gateway.ctl_json("kill", "--session", str(number))
        expect_equal([s["client"] for s in killed["sessions"]], [alice.name],
                     "whom it has ended")
        record = lab.audit.wait_for(client=alice.name, event="close")
        expect_equal(record["reason"], "killed", "the reason")
        carol.put(b"still")
        expect_equal(carol.get(5), b"still", "the other session")
        lab.gateway.ctl("kill", "--user", "carol")
        lab.audit.wait_for(client=carol.name, event="close", reason="killed")
    for detail in [f"kill session=\"{number}\"", "kill user=\"carol\"",
                   "kill has ended 1 sessions"]:
        found = lab.audit.wait_for(
            event="admin", detail=lambda text: detail in text)
        expect(f"uid {os.getuid()}, pid " in found["detail"], found["detail"])


@behaviour
def kill_without_a_choice_ends_nobody(lab):
    spot = lab.target(echo)
    with connected(lab, spot) as alice:
        said = lab.gateway.ctl("kill", status=None)
        expect("which" in said, said)
        alice.put(b"still")
        expect_equal(alice.get(5), b"still", "the session")


@behaviour
def hundreds_of_sessions_are_all_seen_once(lab):
    host, port = lab.gateway.settings["listener main"]["address"].split(":")
    many = [socket.create_connection((host, int(port))) for _ in range(400)]
    try:
        names = {"%s:%d" % one.getsockname() for one in many}
        wait_until(lambda: names <= {s["client"] for s in sessions(lab)},
                   "all are seen")
        seen = [s["session"] for s in sessions(lab)]
        expect_equal(len(seen), len(set(seen)), "each once")
        before = lab.gateway.pids("gateway")
        askers = [threading.Thread(target=lab.gateway.ctl, args=words)
                  for words in [["kill", "--target", "nowhere.example"],
                                ["sessions"]] * 8]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        expect(len(sessions(lab)) >= len(many), "nobody was ended")
        expect_equal(lab.gateway.pids("gateway"), before, "the gateway")
    finally:
        for one in many:
            one.close()


@behaviour(settings={"control": {"read_group": "64200",
                                 "operate_group": "64201"}})
def who_may_look_and_who_may_end(lab):
    spot = lab.target(echo)

    def asks(group, *words, status=0):
        return lab.gateway.ctl(*words, status=status, user=64300, group=group,
                               extra_groups=[])

    with connected(lab, spot) as alice:
        expect(alice.name in asks(64200, "sessions"), "readers look")
        said = asks(64200, "kill", "--user", "alice", status=77)
        expect("control.operate_group" in said, said)
        said = asks(64202, "sessions", status=77)
        expect("only root" in said, said)
        alice.put(b"still")
        expect_equal(alice.get(5), b"still", "the session")
        expect(alice.name in asks(64201, "sessions"), "operators look")
        expect(alice.name in asks(64201, "kill", "--user", "alice"), "and end")
        lab.audit.wait_for(client=alice.name, event="close", reason="killed")
    expect("settings taken" in asks(64201, "reload"), "operators reload")
    lab.audit.wait_for(event="admin", outcome="fail",
                       detail=lambda text: "uid 64300" in text)


@behaviour
def status_says_how_everything_is(lab):
    spot = lab.target(echo)
    with connected(lab, spot):
        with Client(lab) as client:
            client.connect("www.example.com", spot.port)
        # Programs say what they know when they are asked for their pulse.
        status = wait_until(lambda: find_keys(lab), "the keys are known", 30)
    expect_equal(status["gateway"]["sessions"], 1, "sessions")
    expect_equal(status["directory"]["up"], True, "the directory")
    expect_equal(status["directory"]["uris"],
                 lab.gateway.settings["directory"]["uri"], "its URIs")
    expect_equal(status["policy"]["count"], 3, "rules")
    resolver = status["resolver"]
    expect_equal((resolver["asked"], resolver["up"], resolver["failures"]),
                 (True, True, 0), "name servers")
    expect_equal(status["pam"]["asked"], False, "PAM")
    expect_equal(len(status["loops"]),
                 lab.gateway.settings["gateway"]["workers"], "loops")
    key = status["programs"][1]["keys"][0]
    expect(key.startswith("socks/gw.example.com@EXAMPLE.COM kvno "), key)
    auditor = status["programs"][0]
    expect_equal(auditor["program"], "auditor", "the first program")
    expect_equal(auditor["failing"], False, "records are kept")
    expect(auditor["record"] >= 4 and auditor["spool_octets"] > 0,
           str(auditor))
    expect_equal(auditor["pid"], lab.gateway.pids("auditor")[0], "pid")
    text = lab.gateway.ctl("status")
    expect("! " not in text and "kvno" in text, text)


def find_keys(lab):
    status = lab.gateway.ctl_json("status")
    known = [p.get("keys") or p.get("record") for p in status["programs"]
             if p["program"] in ("authenticator", "auditor")]
    return status if all(known) else None


@behaviour
def status_tells_of_trouble_and_restarts(lab):
    lab.gateway.kill("auditor")
    lab.slapd.stop()
    try:
        text = wait_until(
            lambda: "! directory" in (said := lab.gateway.ctl(
                "status", status=None)) and said, "it is told", 30)
        expect("does not answer" in text, text)
        status = lab.gateway.ctl_json("status", status=1)
        expect_equal(status["programs"][0]["starts"], 2, "starts")
    finally:
        lab.slapd.start()
    wait_until(lambda: "! " not in lab.gateway.ctl("status", status=None),
               "all is well again", 60)


@behaviour
def status_tells_of_a_receiver_that_takes_nothing(lab):
    lab.syslog.stop()
    try:
        with Client(lab) as client:
            client.greet()
        text = wait_until(
            lambda: "does not take them" in (said := lab.gateway.ctl(
                "status", status=None)) and said, "it is told", 30)
        expect("!   spool " in text, text)
    finally:
        lab.syslog.start()
    wait_until(lambda: "! " not in lab.gateway.ctl("status", status=None),
               "all is well again", 30)


@behaviour
def the_log_level_changes_at_once_and_until_a_reload(lab):
    def closes():
        return lab.gateway.log_text().count("closed: client_closed")

    def knock():
        with Client(lab) as client:
            client.greet()
            name = client.name
        lab.audit.wait_for(client=name, event="close")

    expect_equal(lab.gateway.ctl("log-level"), "debug\n", "the settings'")
    expect_equal(lab.gateway.ctl("log-level", "warning"), "warning\n", "said")
    before = closes()
    knock()
    expect_equal(closes(), before, "lines at level info")
    lab.gateway.kill("gateway")
    lab.gateway.wait_ready()
    expect_equal(lab.gateway.ctl("log-level"), "warning\n", "it stays")
    lab.audit.wait_for(event="admin",
                       detail=lambda text: 'level="warning"' in text)
    expect("error, warning" in lab.gateway.ctl("log-level", "much",
                                               status=65), "what there is")
    lab.gateway.ctl("reload")
    expect_equal(lab.gateway.ctl("log-level"), "debug\n", "the settings'")
    before = closes()
    knock()
    wait_until(lambda: closes() > before, "it talks again")
