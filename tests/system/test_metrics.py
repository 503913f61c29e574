# SPDX-License-Identifier: ISC
"""gatewarden-metrics, read by a real Prometheus with the alerts of our
example: each fault is made, and alarms."""

import contextlib
import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.request

from tests.lab.lab import ROOT
from tests.lab.process import Program, accepts, free_port, wait_until
from tests.lab.socks import Client, Closed, Refused, request_octets
from tests.lab.suite import behaviour, expect, expect_equal

RULES = f"{ROOT}/examples/gatewarden.rules.yml"
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: gatewarden
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


@contextlib.contextmanager
def metrics(lab, listen):
    program = Program(
        "gatewarden-metrics",
        [f"{lab.programs}/gatewarden-metrics", "--socket",
         lab.gateway.settings["control"]["socket"], "--listen", listen],
        f"{lab.directory}/metrics.log", env=lab.gateway.env)
    try:
        yield program
    finally:
        program.stop()


def read(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}",
                                timeout=30) as answer:
        return answer.read().decode()


def values(text):
    """{'name{label="value"}': number}"""
    return {name: float(value) for name, value in
            re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


def names_of_the_table():
    with open(f"{ROOT}/ctl/metrics.def") as table:
        return re.findall(r'^M\(\w+, "(\w+)"', table.read(), re.M)


@contextlib.contextmanager
def served(lab):
    port = free_port()
    with metrics(lab, f"127.0.0.1:{port}") as program:
        program.ready_when(lambda: accepts("127.0.0.1", port))
        yield port


def use(lab):
    """A session to a target, and one that nobody permits."""
    spot = lab.target(echo)
    with Client(lab) as client:
        client.connect("www.example.com", spot.port)
        client.put(b"x" * 1000)
        client.get(1000)
        name = client.name
    lab.audit.wait_for(client=name, event="close")
    with Client(lab, user="mallory") as client:
        name = client.name
        client.ready()
        with contextlib.suppress(Refused, Closed):
            client.put(request_octets("www.example.com", spot.port))
            client.read_reply()
    lab.audit.wait_for(client=name, event="close")


@behaviour
def every_metric_is_told_and_promtool_takes_them(lab):
    use(lab)
    with served(lab) as port:
        # Programs say what they know when they are asked for their pulse.
        wait_until(lambda: "gatewarden_spool_bytes " in read(port),
                   "the auditor's numbers", 30)
        text = read(port)
        checked = subprocess.run(
            ["/usr/bin/promtool", "check", "metrics"], input=text, text=True,
            capture_output=True)
        expect_equal((checked.returncode, checked.stderr), (0, ""),
                     "promtool")
        expect_equal(re.findall(r"^# TYPE (\w+)", text, re.M),
                     names_of_the_table(), "metrics")
        found = values(text)
        expect_equal(found["gatewarden_up"], 1, "up")
        proofs = 'gatewarden_handshakes_total{method="gssapi",outcome="ok"}'
        expect(found[proofs] >= 2, found[proofs])
        expect(found["gatewarden_decision_seconds_count"] >= 2, "decisions")
        expect_equal(
            found['gatewarden_decision_seconds_bucket{le="+Inf"}'],
            found["gatewarden_decision_seconds_count"], "the last bucket")
        for direction in ["to_target", "to_client"]:
            expect_equal(found[
                f'gatewarden_rule_bytes_total{{rule="staff",direction="'
                f'{direction}"}}'], 1000, direction)
        expect(found['gatewarden_sessions_ended_total{reason='
                     '"denied_no_rule"}'] >= 1, "who was denied")
        expect(not lab.audit.find(event="admin"), "scrapes are not on record")
        for path, status in [("/", 404), ("/metrics/", 404)]:
            try:
                read(port, path)
                expect(False, f"{path} is there")
            except urllib.error.HTTPError as error:
                expect_equal(error.code, status, path)


@behaviour
def a_unix_socket_serves_too(lab):
    path = f"{lab.directory}/metrics.socket"
    with metrics(lab, f"unix:{path}") as program:
        program.ready_when(lambda: os.path.exists(path))
        expect_equal(os.stat(path).st_mode & 0o777, 0o770, "its mode")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = b""
            while more := client.recv(65536):
                text += more
        expect(b"gatewarden_up 1" in text, text)
    expect(not os.path.exists(path), "it is gone")


class Prometheus:
    def __init__(self, lab, port):
        self.port = free_port()
        at = f"{lab.directory}/prometheus"
        os.mkdir(at)
        with open(RULES) as source, open(f"{at}/rules.yml", "w") as out:
            # As patient as a test is.
            out.write(re.sub(r"for: \d+m", "for: 0s", source.read()))
        with open(f"{at}/prometheus.yml", "w") as out:
            out.write(CONFIG.format(rules=f"{at}/rules.yml", port=port))
        self.program = Program(
            "prometheus", [
                "/usr/bin/prometheus", f"--config.file={at}/prometheus.yml",
                f"--storage.tsdb.path={at}/data",
                f"--web.listen-address=127.0.0.1:{self.port}"],
            f"{at}/log")
        self.program.ready_when(self.is_ready, 60)

    def is_ready(self):
        try:
            return "Ready" in read(self.port, "/-/ready")
        except OSError:
            return False

    def _ask(self, path):
        return json.loads(read(self.port, f"/api/v1/{path}"))["data"]

    def knows(self, metric):
        return self._ask(f"query?query={metric}")["result"]

    def alarms(self):
        return {alert["labels"]["alertname"]
                for alert in self._ask("alerts")["alerts"]}

    def await_alarm(self, name):
        wait_until(lambda: name in self.alarms(), f"{name} alarms", 60, 0.2)

    def await_peace(self, name):
        wait_until(lambda: name not in self.alarms(), f"{name} is over", 60,
                   0.2)


@behaviour
def the_example_alarms_at_each_fault_and_not_without(lab):
    checked = subprocess.run(["/usr/bin/promtool", "check", "rules", RULES],
                             text=True, capture_output=True)
    expect_equal(checked.returncode, 0, checked.stdout + checked.stderr)
    with served(lab) as port:
        prometheus = Prometheus(lab, port)
        try:
            wait_until(lambda: prometheus.knows("gatewarden_receiver_up"),
                       "it has read all", 60)
            expect_equal(prometheus.alarms(), set(), "alarms in peace")
            lab.slapd.stop()
            prometheus.await_alarm("GatewardenDirectoryDown")
            lab.slapd.start()
            prometheus.await_peace("GatewardenDirectoryDown")
            lab.syslog.stop()
            with Client(lab) as client:
                client.greet()
            prometheus.await_alarm("GatewardenReceiverDown")
            lab.syslog.start()
            prometheus.await_peace("GatewardenReceiverDown")
            lab.gateway.kill("auditor")
            prometheus.await_alarm("GatewardenProgramRestarts")
            lab.gateway.stop()
            prometheus.await_alarm("GatewardenDown")
            lab.gateway.start()
            prometheus.await_peace("GatewardenDown")
        finally:
            prometheus.program.kill()
