# SPDX-License-Identifier: ISC
"""What is wrong before a start, and which command mends it: each fault is
made in a real lab, found, and mended."""

import contextlib
import copy
import os
import re
import socket
import subprocess

from tests.lab.gateway import print_settings
from tests.lab.process import free_port
from tests.lab.suite import behaviour, expect, expect_equal

LAB = {"settings": {"gateway": {"sessions_max": 1000},
                    "listener main": {"methods": ["gssapi", "password"]},
                    "password": {"allow_cleartext": ["127.0.0.0/8"]}}}


def check(lab, settings=None, wrapper=()):
    """gatewarden --check: its exit status and what it said."""
    path = lab.gateway.path
    if settings:
        path = f"{lab.directory}/checked.conf"
        with open(path, "w") as out:
            out.write(print_settings(settings))
    done = subprocess.run(
        [*wrapper, f"{lab.programs}/gatewarden", "--check", "-c", path, "-L",
         lab.programs], text=True, env=lab.gateway.env, timeout=30,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return done.returncode, done.stderr


def expect_healthy(lab):
    expect_equal(check(lab), (0, ""), "a healthy lab")


def found(said, name):
    """The sentence and the command of the one finding there is."""
    match = re.fullmatch(r"(.*)\n\t" + name + r": (.*)\n", said)
    expect(match, f"{name} alone in {said!r}")
    return match.groups()


def expect_mended(lab, status, name, word):
    """That it is found, and that the command that is named mends it."""
    now, said = check(lab)
    expect_equal(now, status, f"exit status; it said {said!r}")
    sentence, command = found(said, name)
    expect(sentence.startswith(f"{lab.gateway.path}: "), sentence)
    expect(word in sentence, f"{word} in {sentence!r}")
    subprocess.run(["/bin/sh", "-ec", command], check=True, timeout=30)
    expect_healthy(lab)


@contextlib.contextmanager
def away(path):
    os.rename(path, f"{path}.away")
    try:
        yield
    finally:
        os.rename(f"{path}.away", path)


def changed(lab, section, **rows):
    settings = copy.deepcopy(lab.gateway.settings)
    settings.setdefault(section, {}).update(rows)
    return settings


@behaviour
def a_healthy_lab_has_no_findings(lab):
    expect_healthy(lab)


@behaviour
def a_keytab_that_is_missing(lab):
    with away(lab.keytab):
        status, said = check(lab)
        expect_equal(status, 78, said)
        sentence, command = found(said, "keytab_missing")
        expect(f"kerberos.keytab: {lab.keytab}: " in sentence, sentence)
        expect_equal(command, f'kadmin ktadd -k {lab.keytab} '
                     '"socks/$(hostname -f)"', "the command")
    expect_healthy(lab)


@behaviour
def a_keytab_that_everybody_may_read(lab):
    os.chmod(lab.keytab, 0o444)
    expect_mended(lab, 78, "secret_open", "mode 0444")


@behaviour
def a_keytab_that_the_authenticator_cannot_read(lab):
    # Root's rights would make 0000 readable; what counts is whose it is.
    if os.getuid() == 0:
        os.chown(lab.keytab, 0, 0)
    else:
        os.chmod(lab.keytab, 0)
    expect_mended(lab, 78, "secret_unreadable", "kerberos.keytab")


@behaviour
def a_settings_file_that_others_may_write(lab):
    os.chmod(lab.gateway.path, 0o666)
    expect_mended(lab, 78, "settings_open", "mode 0666")
    os.chmod(lab.gateway.path, 0o664)
    expect_mended(lab, 0, "settings_group", "mode 0664")


@behaviour
def a_pam_service_without_a_file(lab):
    path = f"{lab.directory}/pam.d/gatewarden"
    with open(path) as source:
        stack = source.read()
    os.remove(path)
    try:
        expect_mended(lab, 78, "pam_service", os.path.dirname(path))
    finally:
        with open(path, "w") as out:
            out.write(stack)


@behaviour
def a_limit_of_descriptors_that_is_too_low(lab):
    status, said = check(lab, wrapper=["/usr/bin/prlimit", "--nofile=500"])
    expect_equal(status, 0, "a warning's exit status")
    sentence, command = found(said, "descriptors")
    expect("the limit is 500 (a warning)" in sentence, sentence)
    enough = re.search(r"--nofile=(\d+)$", command).group(1)
    expect_equal(check(lab, wrapper=["/usr/bin/prlimit",
                                     f"--nofile={enough}"]), (0, ""),
                 "with the limit that is named")


@behaviour
def an_address_in_use_unless_it_is_our_own_gateways(lab):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = changed(lab, "listener main", address=f"127.0.0.1:{port}")
        # No gateway answers there.
        settings["control"]["socket"] = f"{lab.directory}/no-control"
        status, said = check(lab, settings)
        expect_equal(status, 69, said)
        sentence, command = found(said, "address_in_use")
        expect(f"listener main: another program listens on 127.0.0.1:{port}"
               in sentence, sentence)
        expect_equal(command, f"ss -Hltnp 'sport = :{port}'", "the command")
        shown = subprocess.run(["/bin/sh", "-ec", command], check=True,
                               text=True, capture_output=True).stdout
        expect(f"127.0.0.1:{port}" in shown, shown)
    expect_equal(check(lab, settings), (0, ""), "once it is gone")


@behaviour
def an_address_that_is_not_this_hosts(lab):
    status, said = check(lab, changed(
        lab, "listener main", address=f"192.0.2.1:{free_port()}"))
    expect_equal(status, 69, said)
    found(said, "address")


@behaviour
def a_receiver_of_records_that_is_missing(lab):
    nowhere = f"unix:{lab.directory}/no-log"
    for target in [nowhere, f"tcp:127.0.0.1:{free_port()}"]:
        status, said = check(lab, changed(lab, "audit", target=target))
        expect_equal(status, 69, said)
        sentence, command = found(said, "syslog")
        expect(f"nobody receives at {target}: " in sentence, sentence)
        expect_equal(command, "systemctl restart rsyslog", "the command")


@contextlib.contextmanager
def mounted(path, *options):
    subprocess.run(["/bin/mount", *options, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", path], check=True)


@behaviour
def a_folder_of_the_auditor_that_is_read_only(lab):
    path = f"{lab.directory}/gateway/state/auditor"
    with mounted(path, "--bind", path):
        subprocess.run(["/bin/mount", "-o", "remount,bind,ro", path],
                       check=True)
        status, said = check(lab)
        expect_equal(status, 69, said)
        sentence, command = found(said, "state_read_only")
        expect(f"gateway.state_dir: {path} " in sentence, sentence)
        expect(command.endswith(f'findmnt -no TARGET -T {path})"'), command)
    expect_healthy(lab)


@behaviour
def a_folder_of_the_auditor_that_is_full(lab):
    path = f"{lab.directory}/gateway/state/auditor"
    owner = os.stat(path)
    with mounted(path, "-t", "tmpfs", "-o", "size=512k", "lab"):
        os.chown(path, owner.st_uid, owner.st_gid)
        status, said = check(lab)
        expect_equal(status, 69, said)
        found(said, "state_full")
    expect_healthy(lab)


def doctor(lab, status):
    options = ["-c", lab.gateway.path, "-L", lab.programs, "--program",
               f"{lab.programs}/gatewarden"]
    return (lab.gateway.ctl("doctor", *options, status=status),
            lab.gateway.ctl_json("doctor", *options,
                                 status=status)["findings"])


@behaviour
def the_doctor_says_what_check_finds(lab):
    expect_equal(doctor(lab, 0), ("", []), "of a healthy lab")
    with away(lab.keytab):
        text, (finding,) = doctor(lab, 1)
        sentence, command = found(text, "keytab_missing")
        expect_equal(finding, {"sentence": sentence, "command": command,
                               "name": "keytab_missing"}, "the document")


@behaviour
def the_lab_is_healthy_afterwards(lab):
    expect_healthy(lab)
