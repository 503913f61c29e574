# SPDX-License-Identifier: ISC
"""The life of the house: new settings, asked for by an administrator."""

from tests.lab.gateway import Raw, greets
from tests.lab.process import accepts, free_port
from tests.lab.socks import Client
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
