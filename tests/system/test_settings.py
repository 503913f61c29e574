# SPDX-License-Identifier: ISC
"""Settings: taken as a whole or not at all."""

import copy
import glob
import os
import threading

from tests.lab.gateway import Raw, print_settings
from tests.lab.process import run, wait_until
from tests.lab.slapd import RULES, rule
from tests.lab.socks import Client, Closed
from tests.lab.suite import behaviour, expect, expect_equal


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def granted(lab, level=2):
    with Client(lab, level=level) as client:
        client.greet()
        client.authenticate()
        return client.negotiate()


def with_listener(lab, **rows):
    lab.gateway.settings["listener main"].update(rows)
    lab.gateway.write_settings()


@behaviour
def a_reload_changes_what_new_sessions_get(lab):
    spot = lab.target(echo)
    with Client(lab, level=1) as running:
        running.connect(spot.address, spot.port)
        with_listener(lab, protection_minimum="confidentiality")
        expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
        expect_equal(granted(lab, 1), 2, "granted when asked for 1")
        running.put(b"still")
        expect_equal(running.get(5), b"still", "the running session")
    with_listener(lab, protection_minimum="integrity")
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")
    expect_equal(granted(lab, 1), 1, "granted when asked for 1")


# A change, and the words that the message must hold.
BROKEN = [
    ({"gateway": {"workers": Raw("many")}}, ["workers"]),
    ({"gateway": {"no_such_setting": 1}}, ["no_such_setting"]),
    ({"nonsense": {"x": 1}}, ["nonsense"]),
    ({"session": {"handshake_timeout": 0}}, ["handshake_timeout", "300"]),
    ({"session": {"handshake_timeout": Raw("010")}}, ["010"]),
    ({"kerberos": {"keytab": "${HOME}/keytab"}}, ["${"]),
    ({"listener main": {"address": "127.0.0.1:99999"}}, ["address"]),
    ({"listener main": {"protection_minimum": "confidentiality",
                        "protection_maximum": "integrity"}}, ["protection"]),
    ({"listener main": {"protection_minimum": "some"}},
     ["protection_minimum", "selective"]),
    ({"session": {"handshake_timeout": Raw("5\n\thandshake_timeout = 6")}},
     ["handshake_timeout"]),
    ({"session": {"handshake_timeout": Raw("5\n}\nlost {")}}, []),
]


def broken(lab, change):
    settings = copy.deepcopy(lab.gateway.settings)
    for section, rows in change.items():
        settings.setdefault(section, {}).update(rows)
    return print_settings(settings)


@behaviour
def broken_settings_are_refused_and_change_nothing(lab):
    spot = lab.target(echo)
    with Client(lab) as running:
        running.connect(spot.address, spot.port)
        for change, words in BROKEN:
            lab.gateway.write_settings(broken(lab, change))
            record = lab.gateway.reload()
            expect_equal(record["outcome"], "fail", f"reload with {change}")
            for word in [lab.gateway.path, *words]:
                expect(word in record["detail"],
                       f"{word} in {record['detail']!r}")
            running.put(b"still")
            expect_equal(running.get(5), b"still", "the running session")
            expect_equal(granted(lab), 2, "a new session")
    lab.gateway.write_settings()
    expect_equal(lab.gateway.reload()["outcome"], "ok", "the reload")


@behaviour
def check_says_what_is_wrong_without_starting(lab):
    for change, words in [({}, None), *BROKEN]:
        status, _, said = lab.gateway.check(broken(lab, change))
        if words is None:
            expect_equal(status, 0, f"good settings: {said}")
            continue
        expect_equal(status, 78, f"exit code for {change}")
        for word in ["/checked.conf:", *words]:
            expect(word in said, f"{word} in {said!r}")


def checked(lab, status, words, *arguments, **directory):
    """What --check-policy says, with changed settings of the directory."""
    settings = copy.deepcopy(lab.gateway.settings)
    settings["directory"].update(directory)
    found, said = lab.gateway.check_policy(*arguments, settings=settings)
    expect_equal(found, status, f"exit status; it said {said!r}")
    for word in words:
        expect(word in said, f"{word} in {said!r}")
    return said


def watchers(lab):
    """How many directory-watch processes of this lab there are."""
    found = 0
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as source:
                found += source.read().startswith(
                    f"{lab.programs}/gatewarden-directory-watch".encode())
        except OSError:
            pass
    return found


@behaviour
def check_policy_reads_the_rules_as_the_daemon_does(lab):
    running = watchers(lab)
    checked(lab, 0, ["rules are good\n"])
    lab.slapd.modify(rule("bad1", gwDestination="no/destination") +
                     rule("bad2", gwPort="70000", gwDestination="*"))
    checked(lab, 78, [f'cn=bad1,{RULES}: gwDestination: "no/destination" must',
                      f'cn=bad2,{RULES}: gwPort: "70000" must'])
    for name in ["bad1", "bad2"]:
        lab.slapd.delete(f"cn={name},{RULES}")
    checked(lab, 0, ["rules are good"])
    wait_until(lambda: watchers(lab) == running, "nothing is left running")


@behaviour
def check_policy_says_why_the_directory_cannot_be_read(lab):
    path = f"{lab.directory}/wrong-password"
    with open(path, "w") as out:
        out.write("wrong")
    os.chmod(path, 0o600)
    checked(lab, 69, ["Invalid credentials"], password_file=path)
    checked(lab, 69, ["Can't contact LDAP server"], uri=["ldap://127.0.0.1:1"])
    checked(lab, 78, [f"{path}.not"], password_file=f"{path}.not")


GOOD_RULE = """\
dn: cn=web,ou=rules
objectClass: gwRule
cn: web
gwAction: permit
gwDestination: *.example.com
"""


@behaviour
def check_policy_takes_an_ldif_file_that_only_we_can_read(lab):
    path = f"{lab.directory}/candidate.ldif"
    for text, status, words in [
            (GOOD_RULE, 0, ["1 rule is good"]),
            (GOOD_RULE + "gwPort: 70000\n", 78,
             ['cn=web,ou=rules: gwPort: "70000" must be']),
            (GOOD_RULE + "no attribute\n", 78, [f"{path}:6: not"]),
            ("", 78, [f"{path}: there is no rule at all"])]:
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, 0o600)
        checked(lab, status, words, path, uri=["ldap://127.0.0.1:1"])
    checked(lab, 69, [f"{path}.not: No such file"], f"{path}.not")
    os.mkfifo(f"{path}.fifo")  # that nobody writes to, ever
    checked(lab, 69, [f"{path}.fifo: not a regular file"], f"{path}.fifo")


@behaviour
def printed_settings_are_settings_without_secrets(lab):
    program = f"{lab.programs}/gatewarden"
    printed = run(program, "--print-config", "-c", lab.gateway.path,
                  env=lab.gateway.env)
    expect("handshake_timeout" in printed, "defaults are shown")
    expect("reader-secret" not in printed, "no password")
    path = f"{lab.directory}/printed.conf"
    with open(path, "w") as out:
        out.write(printed)
    expect_equal(run(program, "--print-config", "-c", path,
                     env=lab.gateway.env), printed, "printed again")


@behaviour
def reloads_without_end_disturb_no_session(lab):
    spot = lab.target(echo)
    stop, trouble = threading.Event(), []

    def clients():
        while not stop.is_set():
            try:
                with Client(lab) as client:
                    client.connect(spot.address, spot.port)
                    client.put(b"hello")
                    expect_equal(client.get(5), b"hello", "the echo")
            except (AssertionError, Closed, OSError) as error:
                trouble.append(error)
                return

    threads = [threading.Thread(target=clients) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(40):
            if number % 4 == 3:
                lab.gateway.write_settings("broken {\n")
            else:
                with_listener(lab, backlog=100 + number)
            lab.gateway.reload()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        lab.gateway.write_settings()
        lab.gateway.reload()
    expect(not trouble, f"{trouble[:2]}")


@behaviour
def a_setting_that_needs_a_restart_says_so(lab):
    lab.gateway.settings["gateway"]["workers"] = 1
    lab.gateway.write_settings()
    record = lab.gateway.reload()
    expect("workers" in record["detail"], f"named in {record['detail']!r}")
    lab.gateway.settings["gateway"]["workers"] = 2
    lab.gateway.write_settings()
    lab.gateway.reload()


@behaviour
def each_program_has_given_up_what_it_can(lab):
    programs = ["gateway", "authenticator", "directory-watch",
                "directory-lookup", "auditor"]
    for program in programs:
        for pid in lab.gateway.pids(program):
            with open(f"/proc/{pid}/status") as status:
                fields = dict(line.split(":\t", 1) for line in
                              status.read().splitlines() if ":\t" in line)
            expect_equal(fields["Seccomp"].strip(), "2",
                         f"the list of system calls of {program}")
            expect_equal(fields["NoNewPrivs"].strip(), "1",
                         f"no_new_privs of {program}")
            with open(f"/proc/{pid}/limits") as limits:
                core = [line.split() for line in limits
                        if line.startswith("Max core file size")][0]
            expect_equal(core[4:6], ["0", "0"], f"core limit of {program}")
            # What is not dumpable has files that are not its user's.
            expect(os.stat(f"/proc/{pid}/environ").st_uid !=
                   int(fields["Uid"].split()[0]), f"{program} is dumpable")
            expect_equal(fields["CapEff"].strip(), "0" * 16,
                         f"capabilities of {program}")


@behaviour
def a_full_house_refuses_newcomers(lab):
    lab.gateway.settings["gateway"]["sessions_max"] = 10
    lab.gateway.write_settings()
    lab.gateway.reload()
    clients = [Client(lab) for _ in range(10)]
    try:
        for client in clients:
            client.greet()
        with Client(lab) as late:
            name = late.name
            expect_equal(late.read_to_end(), b"", "the answer")
        lab.audit.wait_for(client=name, event="close", reason="overloaded")
    finally:
        for client in clients:
            client.close()
        del lab.gateway.settings["gateway"]["sessions_max"]
        lab.gateway.write_settings()
        lab.gateway.reload()
    wait_until(lambda: granted(lab) == 2, "served again")
