# SPDX-License-Identifier: ISC
"""The audit trail as rsyslogd's own parsers see it."""

import json
import os
import re
import socket
import time

from tests.lab.process import wait_until
from tests.lab.rsyslog import SD_ID
from tests.lab.socks import Client, Closed, Refused, request_octets
from tests.lab.suite import behaviour, expect, expect_equal


def ask(lab, host, port=9, **options):
    with Client(lab, **options) as client:
        name = client.name
        client.ready()
        try:
            client.put(request_octets(host, port))
            client.read_reply()
        except (Refused, Closed):
            pass
    lab.audit.wait_for(client=name, event="close")
    return name


def whole_session(lab):
    spot = lab.target()
    with Client(lab) as client:
        name = client.name
        client.connect("www.example.com", spot.port)
        client.put(b"twelve octets"[:12])
        client.sock.shutdown(socket.SHUT_WR)
        client.get_to_end()
    lab.audit.wait_for(client=name, event="close")
    return name, spot


@behaviour(settings={"audit": {"interim": 1}})
def a_session_that_lasts_has_a_record_now_and_then(lab):
    spot = lab.target()
    with Client(lab) as client:
        client.connect("www.example.com", spot.port)
        client.put(b"twelve octets"[:12])
        wait_until(lambda: len(lab.audit.find(
            client=client.name, event="interim")) >= 2, "two of them")
        client.sock.shutdown(socket.SHUT_WR)
        client.get_to_end()
        name = client.name
    lab.audit.wait_for(client=name, event="close")
    first, second = lab.audit.find(client=name, event="interim")[:2]
    expect(1 <= float(first["duration"]) < float(second["duration"]), first)
    expect_equal(second["bytes_to_target"], "12", "octets so far")
    expect_equal((second["rule"], second["identity"]),
                 ("staff", "alice@EXAMPLE.COM"), "what else is known")


@behaviour
def a_session_leaves_four_records_that_say_everything(lab):
    name, spot = whole_session(lab)
    records = lab.audit.find(client=name)
    expect_equal([r["event"] for r in records],
                 ["auth", "decision", "open", "close"], "events")
    sessions = {r["session"] for r in records}
    expect_equal(len(sessions), 1, "one session id")
    for record in records:
        for key in ["seq", "time", "instance", "boot", "outcome", "reason",
                    "listener", "identity", "method", "mechanism",
                    "protection"]:
            expect(record.get(key), f"{key} in {record}")
        expect_equal(record["identity"], "alice@EXAMPLE.COM", "identity")
        expect(re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["time"]),
            f"UTC with microseconds: {record['time']}")
    auth, decision, opened, closed = records
    expect_equal(decision["rule"], "staff", "rule")
    expect(int(decision["generation"]) >= 1, "generation")
    expect_equal(decision["asked"], "www.example.com", "asked")
    expect_equal(decision["destination"], f"www.example.com:{spot.port}",
                 "destination")
    expect_equal(decision["command"], "connect", "command")
    for record in [opened, closed]:
        expect(record["dialled"].endswith(f":{spot.port}"), "dialled")
        expect(record["egress"], "egress")
    expect_equal((closed["bytes_to_target"], closed["bytes_to_client"]),
                 ("12", "0"), "octets")
    expect(0 < float(closed["duration"]) < 20, "duration")


@behaviour
def who_goes_away_before_the_proof_was_not_proved(lab):
    with Client(lab) as client:
        name = client.name
        client.greet()
    record = lab.audit.wait_for(client=name, event="auth")
    expect_equal((record["outcome"], record["reason"]),
                 ("fail", "client_closed"), "outcome and reason")
    expect("was not proved" in record["_msg"], f"{record['_msg']!r}")


# What no name may hold, and what would break a log.
HOSTILE = [
    b'"]', b'a"b', b"a]b", b"a\\b", b"\\", b'\\"', b"\\x41", b"\\\\",
    b"\r\n<13>1 - evil", b"\n", b"\0", b"a\0b", b"\x1b[31mred", b"\x7f",
    b"\x80\x9b", b"\xff\xfe", "bücher".encode(), "\u202eevil".encode(),
    "\u2028line".encode(), "\U0001f600".encode(), b"\xc3", b"%n%s%d",
    b"$(id)", b"`id`", b"'", b'"' * 255, b"\\" * 255, b"]" * 255,
    b"\x01" * 255, b"\xe2\x80\xae" * 85, bytes(range(1, 128)),
    bytes(range(128, 256)), b'" event="close" outcome="ok', b" ", b"=",
    b"[" + SD_ID.encode() + b' x="y"]',
]


def unquote(text):
    """The way back of the records' quoting, written from its description."""
    octets = bytearray()
    at = 0
    raw = text.encode()
    while at < len(raw):
        if raw[at:at + 1] != b"\\":
            octets.append(raw[at])
            at += 1
        elif raw[at + 1:at + 2] == b"\\":
            octets.append(0x5c)
            at += 2
        else:
            expect_equal(raw[at + 1:at + 2], b"x", "an escape")
            octets.append(int(raw[at + 2:at + 4], 16))
            at += 4
    return bytes(octets)


@behaviour
def whatever_a_client_writes_into_a_name_comes_back_whole(lab):
    for name in HOSTILE:
        client = ask(lab, name)
        records = lab.audit.find(client=client)
        expect_equal([r["event"] for r in records],
                     ["auth", "decision", "close"], f"events for {name!r}")
        for record in records[1:]:
            expect_equal(unquote(record["asked"]), name, "asked")
            expect_equal(record["reason"], "bad_name", "reason")
            whole = record["_raw"] + record["_msg"]
            # RFC 5424 begins a message in UTF-8 with a BOM.
            expect(all(c.isprintable() for c in whole.replace("\ufeff", "")),
                   f"only printable text: {whole!r}")
            expect(len(record["_raw"].encode()) <= 8000, "size")
    lab.audit.assert_gapless()


@behaviour
def every_message_is_one_record(lab):
    for record in lab.audit.records():
        expect("event" in record and "seq" in record and
               "reason" in record, f"parsed by mmpstrucdata: {record}")
        expect_equal(record["_facility"], "authpriv", "facility")
        expect_equal(record["_app"], "gatewarden", "APP-NAME")
        expect(len(record["_msg"]) > 10, "a sentence for people")


@behaviour
def start_and_stop_are_on_record(lab):
    lab.audit.wait_for(event="start")
    lab.gateway.stop()
    lab.audit.wait_for(event="stop")
    lab.gateway.start()
    lab.audit.assert_gapless()


@behaviour(settings={"audit": {"format": "rfc3164"}}, start=False)
def the_form_for_dev_log_is_parsed_as_one_line(lab):
    lab.gateway.settings["audit"]["target"] = lab.syslog.target_devlog
    lab.gateway.write_settings()
    lab.gateway.start()
    path = f"{lab.syslog.directory}/devlog.json"

    def lines():
        try:
            with open(path) as source:
                return [json.loads(line) for line in source]
        except FileNotFoundError:
            return []

    wait_until(lambda: [line for line in lines()
                        if 'event="reload"' in line["msg"]], "a reload")
    with Client(lab) as client:
        ours = client.name
        client.ready()
        client.put(request_octets(b'"]\r\n<13>evil', 9))
        try:
            client.read_reply()
        except Refused:
            pass
    found = wait_until(lambda: [line for line in lines()
                                if 'event="close"' in line["msg"] and
                                ours in line["msg"]], "the close record")[0]
    expect_equal(found["app"], "gatewarden", "the program's name")
    expect_equal(found["facility"], "authpriv", "facility")
    element = re.search(r"\[" + re.escape(SD_ID) +
                        r'((?: [a-z_]+="(?:[^"\\\]]|\\.)*")*)\]',
                        found["msg"])
    expect(element, f"an SD-ELEMENT in {found['msg']!r}")
    values = dict(re.findall(r' ([a-z_]+)="((?:[^"\\\]]|\\.)*)"',
                             element.group(1)))
    expect_equal(values["reason"], "bad_name", "reason")
    asked = re.sub(r"\\([\"\\\]])", r"\1", values["asked"])
    expect_equal(unquote(asked), b'"]\r\n<13>evil', "asked")


@behaviour(start=False)
def tcp_with_octet_counting_carries_records_too(lab):
    lab.gateway.settings["audit"]["target"] = lab.syslog.target_tcp
    lab.gateway.write_settings()
    lab.start()
    whole_session(lab)
    for name in [b'"]\n', b"\\" * 255]:
        ask(lab, name)
    lab.syslog.stop()
    lab.syslog.start()
    ask_until_recorded(lab)
    lab.audit.assert_gapless()


def ask_until_recorded(lab):
    with Client(lab) as client:
        name = client.name
        client.ready()
    lab.audit.wait_for(client=name, event="close", seconds=15)


@behaviour
def a_receiver_that_comes_back_gets_what_waited(lab):
    lab.syslog.stop()
    names = []
    for _ in range(20):
        with Client(lab) as client:
            names.append(client.name)
            client.ready()
    time.sleep(0.5)
    lab.syslog.start()
    for name in names:
        lab.audit.wait_for(client=name, event="close", seconds=15)
    lab.audit.assert_gapless()


def sequences(lab):
    return [int(record["seq"]) for record in lab.audit.records()]


@behaviour
def what_a_stopped_receiver_misses_comes_later_once_and_in_order(lab):
    """Also what everything was restarted over."""
    whole_session(lab)
    lab.syslog.program.pause()
    try:
        for _ in range(100):
            with Client(lab) as client:
                client.send(b"\x04")
                client.read_to_end()
        time.sleep(1.1)
        lab.gateway.stop()
        lab.gateway.start()
        for _ in range(10):
            with Client(lab) as client:
                client.send(b"\x04")
                client.read_to_end()
    finally:
        lab.syslog.program.resume()
    wait_until(lambda: len(lab.audit.find(reason="bad_version",
                                          event="close")) >= 110,
               "all came", 15)
    found = sequences(lab)
    expect_equal(found, list(range(found[0], found[0] + len(found))),
                 "each once, in order")
    expect(lab.audit.find(event="close", delayed="1"), "some waited")
    expect_equal(lab.audit.find(event="gap"), [], "nothing was lost")


@behaviour(settings={"audit": {"durable": "group"}})
def sessions_that_everything_died_on_are_closed_at_the_next_start(lab):
    spot = lab.target()
    with Client(lab) as client:
        name = client.name
        client.connect("www.example.com", spot.port)
        opened = lab.audit.wait_for(client=name, event="open")
        lab.gateway.program.kill()
    lab.gateway.start()
    lab.audit.wait_for(event="reload", generation="1",
                       boot=lambda boot: boot != opened["boot"])
    whole_session(lab)
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal(record["reason"], "crash", "reason")
    found = sequences(lab)
    expect_equal(sorted(set(found)),
                 list(range(min(found), max(found) + 1)), "no number is missing")


@behaviour(settings={"audit": {"durable": "group"}})
def nothing_is_served_that_cannot_be_recorded(lab):
    """The folder of the spool goes away, and comes back."""
    spot = lab.target()
    folder = f"{lab.directory}/gateway/state/auditor"
    with Client(lab) as standing:
        standing.connect("www.example.com", spot.port)
        standing.put(b"before")
        os.rename(folder, folder + ".away")
        lab.gateway.kill("auditor")

        def refused():
            with Client(lab) as client:
                client.ready()
                client.put(request_octets("www.example.com", spot.port))
                try:
                    client.read_reply()
                except Refused as answer:
                    return answer.args[0] == 1
            return False

        wait_until(refused, "a request is refused", 15)
        standing.put(b"after")
        os.rename(folder + ".away", folder)
        wait_until(lambda: not refused(), "requests are served again", 15)
    lab.audit.wait_for(event="decision", reason="audit_unavailable")


@behaviour
def no_secret_is_in_any_output(lab):
    whole_session(lab)
    log = lab.gateway.log_text()
    for secret in ["reader-secret", "twelve octet"]:
        expect(secret not in log, f"{secret} in the log")
        expect(not [r for r in lab.audit.records() if secret in str(r)],
               f"{secret} in a record")
