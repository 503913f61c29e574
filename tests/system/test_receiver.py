# SPDX-License-Identifier: ISC
"""rsyslogd with the settings of our example: records parsed into fields."""

import json
import os
import re
import socket

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
