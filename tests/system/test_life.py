# SPDX-License-Identifier: ISC
"""The life of the house: new settings, asked for by an administrator;
an end that waits for sessions."""

import errno
import os
import signal
import socket
import threading
import time

from tests.lab.gateway import Raw, greets, split_address
from tests.lab.process import accepts, free_port, wait_until
from tests.lab.socks import Client, Closed, Refused
from tests.lab.suite import behaviour, expect, expect_equal


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def add_listener(lab):
    port = free_port()
    lab.gateway.settings["listener more"] = {"address": f"127.0.0.1:{port}"}
    lab.gateway.write_settings()
    return port


def drop_listener(lab):
    del lab.gateway.settings["listener more"]
    lab.gateway.write_settings()


@behaviour
def ctl_reload_adds_and_removes_a_listener_and_keeps_sessions(lab):
    spot = lab.target(echo)
    with Client(lab) as running:
        running.connect(spot.address, spot.port)
        port = add_listener(lab)
        said = lab.gateway.ctl("reload")
        expect(said.startswith("settings taken, generation "), said)
        expect(greets("127.0.0.1", port), "the new listener greets")
        record = lab.gateway.reloads()[-1]
        expect("asked by uid " in record["detail"], record["detail"])
        drop_listener(lab)
        expect_equal(lab.gateway.ctl_json("reload")["done"], True, "done")
        expect(not accepts("127.0.0.1", port), "the old listener is gone")
        running.put(b"still")
        expect_equal(running.get(5), b"still", "the running session")


@behaviour
def ctl_reload_names_file_and_line_of_what_is_wrong(lab):
    path = lab.gateway.path
    lab.gateway.settings["gateway"]["no_such_setting"] = Raw("1")
    try:
        lab.gateway.write_settings()
        with open(path) as source:
            line = next(number for number, text in enumerate(source, 1)
                        if "no_such_setting" in text)
        said = lab.gateway.ctl("reload", status=65)
        expect(f"refused: {path}:{line}: " in said, said)
        answer = lab.gateway.ctl_json("reload", status=None)
        expect_equal(answer["done"], False, "done")
    finally:
        del lab.gateway.settings["gateway"]["no_such_setting"]
        lab.gateway.write_settings()
    lab.gateway.ctl("reload")


@behaviour
def a_setting_for_a_restart_is_named_and_refused(lab):
    before = lab.gateway.settings["gateway"]["workers"]
    lab.gateway.settings["gateway"]["workers"] = before + 1
    try:
        lab.gateway.write_settings()
        said = lab.gateway.ctl("reload", status=65)
        expect("gateway.workers takes effect at a restart only" in said, said)
    finally:
        lab.gateway.settings["gateway"]["workers"] = before
        lab.gateway.write_settings()


def ends(lab, seconds=15):
    """Waits for the end in order; starts the next one."""
    expect_equal(lab.gateway.program.popen.wait(seconds), 0, "exit status")
    lab.gateway.assert_sane()
    before = lab.gateway.log_text().count("policy generation 1:")
    lab.gateway.start()
    wait_until(lambda: lab.gateway.log_text().count("policy generation 1:") >
               before, "the rules are there")


def is_refused(lab):
    host, port = split_address(lab.gateway.settings["listener main"]["address"])
    with socket.socket() as probe:
        probe.settimeout(3)
        try:
            return probe.connect_ex((host, port)) == errno.ECONNREFUSED
        except TimeoutError:
            return False


@behaviour
def drain_lets_nobody_in_and_waits_for_who_is(lab):
    spot = lab.target(echo)
    with Client(lab) as running, Client(lab) as early:
        running.connect(spot.address, spot.port)
        said = lab.gateway.ctl("drain", "--timeout", "60")
        expect("or in 60 seconds" in said, said)
        wait_until(lambda: is_refused(lab), "newcomers are refused")
        running.put(b"still")
        expect_equal(running.get(5), b"still", "the running session")
        early.connect(spot.address, spot.port)  # was there before
        name = running.name
        expect(lab.gateway.program.is_alive(), "it waits")
    ends(lab)
    record = lab.audit.wait_for(client=name, event="close")
    expect(record["reason"] != "shutdown", record["reason"])


@behaviour
def sigterm_drains_for_the_time_of_the_settings(lab):
    spot = lab.target(echo)
    lab.gateway.settings["gateway"]["drain_timeout"] = 1
    lab.gateway.write_settings()
    lab.gateway.ctl("reload")
    try:
        with Client(lab) as running:
            running.connect(spot.address, spot.port)
            lab.gateway.program.signal(signal.SIGTERM)
            wait_until(lambda: is_refused(lab), "newcomers are refused")
            lab.audit.wait_for(client=running.name, event="close",
                               reason="shutdown")
            expect("draining: 1 sessions are left" in lab.gateway.log_text(),
                   "progress in the log")
    finally:
        lab.gateway.settings["gateway"]["drain_timeout"] = 0
        lab.gateway.write_settings()
    ends(lab)


@behaviour
def a_second_sigterm_ends_a_drain(lab):
    spot = lab.target(echo)
    with Client(lab) as running:
        running.connect(spot.address, spot.port)
        lab.gateway.ctl("drain", "--timeout", "3600")
        lab.gateway.program.signal(signal.SIGTERM)
        ends(lab)


@behaviour
def who_is_on_his_way_in_at_a_drain_is_served(lab):
    """Connections that the kernel has taken are not reset."""
    clients = [Client(lab) for _ in range(20)]
    lab.gateway.ctl("drain", "--timeout", "60")
    try:
        for client in clients:
            client.greet()
    finally:
        for client in clients:
            client.close()
    ends(lab)


ACTIVATE = "/usr/bin/systemd-socket-activate"


@behaviour
def sockets_of_the_service_manager_are_served_and_outlive_us(lab):
    host, port = split_address(lab.gateway.settings["listener main"]["address"])
    lab.gateway.stop()
    with socket.create_server((host, port), backlog=64) as kept:
        hand_over(lab, kept)
        lab.gateway.wait_ready()
        lab.gateway.stop()
        with socket.create_connection((host, port)) as waits:
            hand_over(lab, kept)
            waits.settimeout(20)
            waits.sendall(b"\x05\x01\x01")
            expect_equal(waits.recv(2)[:1], b"\x05", "who came meanwhile")
            lab.gateway.stop()
    lab.gateway.start()


def hand_over(lab, kept):
    """Starts the gateway with that socket as descriptor 3, as a service
    manager does."""
    os.set_inheritable(kept.fileno(), True)
    lab.gateway.wrapper = [
        "/bin/bash", "-c", f'exec 3<&{kept.fileno()}; LISTEN_PID=$$ '
        'LISTEN_FDS=1 exec "$@"', "bash"]
    lab.gateway.inherits = (kept.fileno(),)
    try:
        lab.gateway.start(ready=False)
    finally:
        lab.gateway.wrapper, lab.gateway.inherits = [], ()


@behaviour
def systemd_socket_activate_starts_us(lab):
    address = lab.gateway.settings["listener main"]["address"]
    lab.gateway.stop()
    lab.gateway.wrapper = [ACTIVATE, "-l", address]
    try:
        lab.gateway.start()
        lab.gateway.stop()
    finally:
        lab.gateway.wrapper = []
    lab.gateway.start()


@behaviour
def a_socket_of_no_listener_is_refused(lab):
    port = free_port()
    lab.gateway.stop()
    lab.gateway.wrapper = [ACTIVATE, "-l", f"127.0.0.1:{port}"]
    try:
        lab.gateway.start(ready=False)
        wait_until(lambda: accepts("127.0.0.1", port), "it is started")
        expect_equal(lab.gateway.program.popen.wait(10), 78, "exit status")
        expect(f"a socket for 127.0.0.1:{port}, which is the address of no "
               "listener" in lab.gateway.log_text(), "the sentence")
    finally:
        lab.gateway.wrapper = []
    lab.gateway.start()


class Restart:
    """At its end a restart is over: the next gateway has its rules."""

    def __init__(self, lab):
        self.gateway = lab.gateway
        self.before = set(self.gateway.pids("gateway"))

    def is_over(self):
        pids = self.gateway.pids("gateway")
        log = self.gateway.log_text()
        return pids and not self.before & set(pids) and all(
            f"gatewarden-gateway[{pid}]: policy generation 1:" in log
            for pid in pids)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            wait_until(self.is_over, "it starts anew", 60)


def knock_until(lab, is_over):
    """Greets again and again, one at a time, as strangers do; how often."""
    host, port = split_address(lab.gateway.settings["listener main"]["address"])
    count = 0
    while not is_over():
        with socket.create_connection((host, port), 30) as client:
            client.sendall(b"\x05\x01\x01")
            try:
                client.recv(2)  # or the end of who was let in too late
            except ConnectionResetError:
                pass
        count += 1
    return count


@behaviour
def restart_keeps_the_process_its_listeners_and_the_sequence(lab):
    pid = lab.gateway.program.pid
    boots = {r["boot"] for r in lab.audit.records()}
    with Restart(lab) as restart:
        said = lab.gateway.ctl("restart")
        expect("starts anew" in said, said)
        knock_until(lab, restart.is_over)
    expect_equal(lab.gateway.program.pid, pid, "the same process")
    lab.audit.wait_for(event="start", boot=lambda boot: boot not in boots)
    seen = sorted({int(r["seq"]) for r in lab.audit.records()})
    expect_equal(seen, list(range(seen[0], seen[-1] + 1)), "no number missing")
    expect(greets(*split_address(
        lab.gateway.settings["listener main"]["address"])), "it greets")


@behaviour
def who_comes_while_it_starts_waits_for_the_rules(lab):
    spot = lab.target(echo)
    outcomes = []

    def come_at_once():
        wait_until(lambda: accepts(*lab.listeners["main"]), "it listens", 20,
                   0.001)
        with Client(lab) as client:
            try:
                client.connect(spot.address, spot.port)
                outcomes.append("served")
            except (Closed, Refused) as error:
                outcomes.append(repr(error))

    for _ in range(5):
        lab.gateway.stop()
        lab.gateway.start(ready=False)
        clients = [threading.Thread(target=come_at_once) for _ in range(6)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        lab.gateway.wait_ready()
    expect_equal(outcomes, ["served"] * 30, "who came at once")


@behaviour
def restart_waits_for_sessions_if_it_is_told_to(lab):
    spot = lab.target(echo)
    with Restart(lab) as restart:
        with Client(lab) as running:
            running.connect(spot.address, spot.port)
            lab.gateway.ctl("restart", "--timeout", "60")
            running.put(b"still")
            expect_equal(running.get(5), b"still", "the running session")
            expect(not restart.is_over(), "it waits")


@behaviour
def sigusr2_restarts_and_takes_settings_that_a_reload_cannot(lab):
    settings = lab.gateway.settings["gateway"]
    workers = settings["workers"]
    settings["workers"] = workers + 1
    lab.gateway.write_settings()
    try:
        with Restart(lab) as restart:
            lab.gateway.program.signal(signal.SIGUSR2)
            knock_until(lab, restart.is_over)
        expect(lab.gateway.ctl("reload").startswith("settings taken"),
               "these settings are in force")
    finally:
        settings["workers"] = workers
        lab.gateway.write_settings()
    with Restart(lab):
        lab.gateway.ctl("restart")


@behaviour
def a_restart_that_would_fail_is_refused(lab):
    lab.gateway.settings["gateway"]["no_such_setting"] = Raw("1")
    pid = lab.gateway.program.pid
    try:
        lab.gateway.write_settings()
        said = lab.gateway.ctl("restart", status=65)
        expect("no_such_setting" in said, said)
        expect_equal(lab.gateway.program.pid, pid, "it goes on")
    finally:
        del lab.gateway.settings["gateway"]["no_such_setting"]
        lab.gateway.write_settings()
    lab.gateway.ctl("reload")


class Manager:
    """A service manager's notification socket: what was said, and the
    descriptors that came with it."""

    def __init__(self, path):
        self.path, self.said, self.stored = path, [], {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def close(self):
        for fd in self.stored.values():
            os.close(fd)
        self.socket.close()
        os.unlink(self.path)

    def read(self):
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
            except BlockingIOError:
                return self.said
            text = text.decode()
            self.said.append(text)
            fields = dict(line.split("=", 1) for line in text.splitlines())
            if fields.get("FDSTORE") == "1":
                self.stored[fields["FDNAME"]] = fds[0]
            if fields.get("FDSTOREREMOVE") == "1":
                os.close(self.stored.pop(fields["FDNAME"]))

    def hears(self, what, seconds=20):
        self.said.clear()
        wait_until(lambda: any(what in text for text in self.read()),
                   f"the service manager hears {what}", seconds)


def under(lab, manager, **env):
    """The gateway, started as a service manager does it."""
    fds = list(manager.stored.items())
    for _, fd in fds:
        os.set_inheritable(fd, True)
    moves = " ".join(f"{n}<&{fd}" for n, (_, fd) in enumerate(fds, 3))
    lab.gateway.wrapper = [
        "/bin/bash", "-c", f"exec {moves}; " + " ".join(
            f"{name}={value}" for name, value in {
                "LISTEN_PID": "$$", "LISTEN_FDS": len(fds),
                "LISTEN_FDNAMES": ":".join(name for name, _ in fds),
                "NOTIFY_SOCKET": manager.path, **env}.items()) +
        ' exec "$@"', "bash"]
    lab.gateway.inherits = tuple(fd for _, fd in fds)
    try:
        lab.gateway.start()
    finally:
        lab.gateway.wrapper, lab.gateway.inherits = [], ()


@behaviour
def the_watchdog_is_fed_while_every_program_answers(lab):
    lab.gateway.stop()
    manager = Manager(f"{lab.directory}/manager")
    try:
        under(lab, manager, WATCHDOG_USEC=2000000)
        manager.hears("WATCHDOG=1")
        stopped = lab.gateway.pids("auditor")[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            # Asked twice a second, given a second: then it is fed no more.
            wait_until(lambda: is_quiet(manager, 1.5), "it starves", 30)
        finally:
            os.kill(stopped, signal.SIGCONT)
        manager.hears("WATCHDOG=1")
        lab.gateway.stop()
        manager.hears("STOPPING=1")
    finally:
        manager.close()
    lab.gateway.start()


def is_quiet(manager, seconds):
    manager.read()
    manager.said.clear()
    time.sleep(seconds)
    return not any("WATCHDOG=1" in text for text in manager.read())


@behaviour
def listeners_in_the_descriptor_store_come_back(lab):
    host, port = split_address(lab.gateway.settings["listener main"]["address"])
    lab.gateway.stop()
    manager = Manager(f"{lab.directory}/manager")
    try:
        under(lab, manager)
        manager.hears("READY=1")
        expect("stored.main" in manager.stored, str(manager.stored))
        add_listener(lab)
        lab.gateway.ctl("reload")
        wait_until(lambda: manager.read() and "stored.more" in manager.stored,
                   "the new one is stored")
        lab.gateway.stop()
        drop_listener(lab)
        with socket.create_connection((host, port)) as waits:
            under(lab, manager)
            waits.settimeout(20)
            waits.sendall(b"\x05\x01\x01")
            expect_equal(waits.recv(2)[:1], b"\x05", "who came meanwhile")
        wait_until(lambda: manager.read() and
                   "stored.more" not in manager.stored,
                   "what no listener wants is forgotten")
        lab.gateway.stop()
    finally:
        manager.close()
    lab.gateway.start()
