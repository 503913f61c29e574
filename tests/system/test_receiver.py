# SPDX-License-Identifier: ISC
"""rsyslogd with the settings of our example: records parsed into fields."""

import json
import os
import re
import shutil
import socket
import subprocess

from tests.lab.gateway import give
from tests.lab.process import wait_until
from tests.lab.rsyslog import Receiver
from tests.lab.socks import Client, request_octets, Closed, Refused
from tests.lab.suite import behaviour, expect, expect_equal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
HOSTILE = b'a"]\\ seq="1'


def ask(lab, host):
    """Over this connection; its name on our side."""
    with Client(lab) as client:
        name = client.name
        client.ready()
        try:
            client.put(request_octets(host, 9))
            client.read_reply()
        except (Refused, Closed):
            pass
    return name


def found(receiver, **wanted):
    return [record for record in map(json.loads, receiver.lines(".json"))
            if all(record.get(key) == wanted[key] for key in wanted)]


def fields(line):
    """Of a line as it was sent: parameters, their escapes undone."""
    element = line[line.index("[gatewarden@32473 "):]
    return [(name, re.sub(r"\\([\"\\\]])", r"\1", value)) for name, value in
            re.findall(r' ([a-z_]+)="((?:[^"\\\]]|\\.)*)"', element)]


def send_by_tcp(receiver, messages):
    with socket.create_connection((receiver.address, receiver.port)) as sock:
        for message in messages:
            octets = message.encode()
            sock.sendall(b"%d %s" % (len(octets), octets))


@behaviour(start=False)
def the_example_makes_fields_of_records_from_both_inputs(lab):
    receiver = Receiver(f"{lab.directory}/receiver", ROOT)
    receiver.start()
    lab.gateway.settings["audit"]["target"] = f"unix:{receiver.socket}"
    lab.gateway.write_settings()
    lab.gateway.start()
    wait_until(lambda: found(receiver, event="reload"), "rules")
    for host in ["www.example.com", HOSTILE]:
        client = ask(lab, host)
        wait_until(lambda client=client: found(receiver, event="close",
                                               client=client),
                   f"the record of {client}")
    lab.gateway.stop()
    wait_until(lambda: found(receiver, event="stop"), "the last record")
    wait_until(lambda: len(receiver.lines(".json")) ==
               len(receiver.lines(".log")), "both files")
    sent = receiver.lines(".log")
    expect(len(sent) > 6, "records of start, rules and two sessions")
    send_by_tcp(receiver, sent)
    wait_until(lambda: len(receiver.lines(".json")) == 2 * len(sent) and
               len(receiver.lines(".log")) == 2 * len(sent), "all by TCP")
    expect_equal(receiver.lines(".log")[len(sent):], sent, "lines by TCP")
    for line, record in zip(2 * sent, receiver.lines(".json")):
        expect_equal(json.loads(record), dict(fields(line)), "fields")
    for name in os.listdir(f"{receiver.directory}/log"):
        expect(re.fullmatch(r"\d{4}-\d\d-\d\d\.(json|log)", name), name)
    receiver.stop()


def expect_no_gap(receiver):
    seen = {int(record["seq"])
            for record in map(json.loads, receiver.lines(".json"))}
    expect_equal(sorted(seen), list(range(1, max(seen) + 1)),
                 "the numbers, from the first on")


def audit_over_tls(lab, receiver, ours="other", **changes):
    """The gateway's settings for it; our certificate is the auditor's."""
    for name in ["gateway.pem", "gateway.key"]:
        shutil.copy(f"{receiver.tls}/{ours}{name[-4:]}",
                    f"{lab.directory}/{name}")
        give(f"{lab.directory}/{name}", "auditor", 0o400)
    lab.gateway.settings["audit"].update({
        "target": f"tls:{receiver.address}:{receiver.tls_port}",
        "format": "rfc5424",
        "tls_ca_file": f"{receiver.tls}/ca.pem",
        "tls_certificate": f"{lab.directory}/gateway.pem",
        "tls_key": f"{lab.directory}/gateway.key", **changes})
    lab.gateway.write_settings()


@behaviour(start=False)
def over_tls_none_is_lost_when_the_receiver_goes_and_comes(lab):
    receiver = Receiver(f"{lab.directory}/receiver", ROOT)

    def closed():
        return found(receiver, event="close", identity="alice@EXAMPLE.COM")

    receiver.start()
    audit_over_tls(lab, receiver)
    lab.gateway.start()
    wait_until(lambda: found(receiver, event="reload"), "rules")
    for _ in range(3):
        ask(lab, "www.example.com")
    wait_until(lambda: len(closed()) == 3, "three")
    receiver.stop()
    # What its host has, and it did not read before its end, is lost.
    wait_until(lambda: not re.search(r"ESTAB|CLOSE-WAIT", subprocess.run(
        ["/usr/bin/ss", "-Htn", f"dport = :{receiver.tls_port}"], check=True,
        text=True, capture_output=True).stdout), "the end is seen")
    for _ in range(3):
        ask(lab, "www.example.com")
    receiver.start()
    wait_until(lambda: len(closed()) == 6, "six")
    lab.gateway.stop()
    wait_until(lambda: found(receiver, event="stop"), "the last record")
    expect_no_gap(receiver)
    receiver.stop()


@behaviour(start=False)
def a_receiver_of_another_name_or_authority_gets_nothing(lab):
    receiver = Receiver(f"{lab.directory}/receiver", ROOT)
    receiver.start()
    # Its certificate is good for its address and ldap.example.com.
    for changes, word in [
            ({"tls_name": "elsewhere.example.com"}, "hostname mismatch"),
            ({"tls_ca_file": f"{receiver.tls}/other.pem"},
             "certificate in certificate chain")]:
        audit_over_tls(lab, receiver, **changes)
        lab.gateway.start()
        wait_until(lambda word=word: word in lab.gateway.log_text(), word)
        expect_equal(receiver.lines(".log"), [], "records")
        lab.gateway.stop()
    audit_over_tls(lab, receiver, tls_name="ldap.example.com")
    lab.gateway.start()
    wait_until(lambda: found(receiver, event="reload", outcome="ok"),
               "what waited, and new ones")
    expect_no_gap(receiver)
    lab.gateway.stop()
    receiver.stop()


@behaviour(start=False)
def a_receiver_that_does_not_take_our_certificate_swallows_nothing(lab):
    receiver = Receiver(f"{lab.directory}/receiver", ROOT)
    receiver.start()
    audit_over_tls(lab, receiver, ours="expired")
    lab.gateway.start()
    refusal = "the receiver of audit records does not take them"
    wait_until(lambda: refusal in lab.gateway.log_text(), refusal)
    ask(lab, "www.example.com")
    lab.gateway.stop()
    expect_equal(receiver.lines(".log"), [], "records")
    audit_over_tls(lab, receiver)
    lab.gateway.start()
    wait_until(lambda: found(receiver, event="close",
                             identity="alice@EXAMPLE.COM"), "what waited")
    lab.gateway.stop()
    wait_until(lambda: found(receiver, event="stop"), "the last record")
    expect_no_gap(receiver)
    receiver.stop()
