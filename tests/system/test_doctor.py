# SPDX-License-Identifier: ISC
"""What is wrong before a start, and which command mends it: each fault is
made in a real lab, found, and mended."""

import contextlib
import copy
import glob
import os
import re
import shutil
import socket
import subprocess

from tests.lab.gateway import give
from tests.lab.process import free_port
from tests.lab.slapd import (PEOPLE, READER, SUFFIX, Directory, group, person,
                             user_dn)
from tests.lab.suite import behaviour, expect, expect_equal

NEEDS_ROOT = True  # each program has a user of its own
LAB = {"settings": {"gateway": {"sessions_max": 1000},
                    "listener main": {"methods": ["gssapi", "password"]},
                    "password": {"allow_cleartext": ["127.0.0.0/8"]}}}


def check(lab, settings=None, wrapper=()):
    """gatewarden --check: its exit status and what it said."""
    status, _, said = lab.gateway.check(settings, wrapper=wrapper)
    return status, said


def expect_healthy(lab):
    expect_equal(check(lab), (0, ""), "a healthy lab")


def found(said, name):
    """The sentence and the command of the one finding there is."""
    match = re.fullmatch(r"(.*)\n\t" + name + r": (.*)\n", said)
    expect(match, f"{name} alone in {said!r}")
    return match.groups()


def finding(lab, name, status, settings=None):
    """The one that there is: its sentence and its command."""
    now, said = check(lab, settings)
    expect_equal(now, status, f"exit status; it said {said!r}")
    return found(said, name)


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
    os.chown(lab.keytab, 0, 0)
    expect_mended(lab, 78, "secret_unreadable", "kerberos.keytab")


@behaviour
def a_settings_file_that_others_may_write(lab):
    os.chmod(lab.gateway.path, 0o666)
    expect_mended(lab, 78, "settings_open", "mode 0666")
    os.chmod(lab.gateway.path, 0o664)
    expect_mended(lab, 0, "settings_group", "mode 0664")


@behaviour
def a_file_that_is_missing_or_none_or_not_readable(lab):
    folder = f"{lab.directory}/files"
    os.mkdir(folder, 0o755)
    for name, path in [("file_missing", f"{folder}/none"),
                       ("file_kind", folder),
                       ("file_unreadable", f"{folder}/secret.pem")]:
        if name == "file_unreadable":
            shutil.copy(lab.slapd.ca_file, path)
            os.chmod(path, 0)
        # No TLS is made with it.
        settings = changed(lab, "policy", file=path)
        del settings["directory"]
        sentence, command = finding(lab, name, 78, settings)
        expect(f"policy.file: {path}" in sentence, sentence)
        expect(path in command, command)


@behaviour
def a_program_that_is_missing(lab):
    with away(f"{lab.programs}/gatewarden-auditor"):
        sentence, _ = finding(lab, "program", 78)
        expect("gatewarden-auditor: No such file" in sentence, sentence)


@behaviour
def a_user_or_a_group_that_does_not_exist(lab):
    sentence, command = finding(lab, "user", 78, changed(
        lab, "users", gateway="nobody-of-that-name"))
    expect("no user nobody-of-that-name for the gateway" in sentence, sentence)
    expect(command.endswith(" nobody-of-that-name"), command)
    sentence, command = finding(lab, "control_group", 78, changed(
        lab, "control", read_group="no-such-group"))
    expect_equal(command, "groupadd --system no-such-group", "the command")


@behaviour
def a_certificate_that_cannot_be_used(lab):
    path = f"{lab.directory}/nonsense.pem"
    with open(path, "w") as out:
        out.write("nonsense\n")
    os.chmod(path, 0o400)
    sentence, _ = finding(lab, "tls", 78, changed(
        lab, "listener main", tls_certificate=path, tls_key=path))
    expect(path in sentence, sentence)


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
def a_folder_of_the_auditor_that_is_somebody_elses(lab):
    path = f"{lab.directory}/gateway/state/auditor"
    owner = os.stat(path)
    os.chown(path, 1, 1)
    try:
        sentence, command = finding(lab, "state_owner", 69)
        expect("does not belong to the auditor" in sentence, sentence)
        expect(path in command, command)
    finally:
        os.chown(path, owner.st_uid, owner.st_gid)


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


# ---- Kerberos


@contextlib.contextmanager
def other_keytab(lab, *commands):
    """Settings with a keytab that kadmin makes."""
    path = f"{lab.directory}/other.keytab"
    lab.realm.kadmin(*(command.format(keytab=path) for command in commands))
    give(path, "authenticator", 0o400)
    try:
        yield changed(lab, "kerberos", keytab=path)
    finally:
        os.remove(path)


@behaviour
def a_keytab_without_the_service(lab):
    with other_keytab(lab, "addprinc -randkey nfs/gw.example.com",
                      "ktadd -k {keytab} nfs/gw.example.com") as settings:
        sentence, command = finding(lab, "keytab_service", 78, settings)
        expect("no key for a service of kerberos.services" in sentence,
               sentence)
        expect(command.startswith("kadmin ktadd -k "), command)


@behaviour
def a_keytab_with_nothing_but_rc4(lab):
    with other_keytab(
            lab, "addprinc -randkey socks/rc4.example.com",
            "ktadd -k {keytab} -e arcfour-hmac:normal "
            "socks/rc4.example.com") as settings:
        sentence, _ = finding(lab, "keytab_weak", 78, settings)
        expect("socks/rc4.example.com" in sentence, sentence)


@behaviour
def a_keytab_that_is_older_than_the_kdcs_keys(lab):
    with other_keytab(
            lab, "addprinc -randkey socks/old.example.com",
            "ktadd -k {keytab} socks/old.example.com") as settings:
        expect_equal(check(lab, settings), (0, ""), "while it is current")
        lab.realm.kadmin("cpw -randkey socks/old.example.com")
        sentence, _ = finding(lab, "keytab_old", 78, settings)
        expect("other keys for socks/old.example.com" in sentence, sentence)


@behaviour
def a_kdc_that_is_not_there(lab):
    lab.realm.stop()
    try:
        sentence, command = finding(lab, "kdc", 69)
        expect("the KDC of EXAMPLE.COM: " in sentence, sentence)
        expect("EXAMPLE.COM" in command, command)
    finally:
        lab.realm.start()
    expect_healthy(lab)


@contextlib.contextmanager
def krb5_conf(lab, change):
    path = f"{lab.directory}/other-krb5.conf"
    with open(lab.realm.config) as source, open(path, "w") as out:
        out.write(change(source.read()))
    try:
        yield changed(lab, "kerberos", config=path)
    finally:
        os.remove(path)


FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]


@behaviour
def a_clock_that_is_six_minutes_off(lab):
    for seconds, words in [(360, "seconds behind that of the KDC of EXAMPLE"),
                           (-360, "seconds ahead of that of the KDC")]:
        lab.realm.stop()
        lab.realm.start({"LD_PRELOAD": FAKETIME, "FAKETIME": f"{seconds:+}"})
        try:
            sentence, _ = finding(lab, "clock", 69)
            expect(words in sentence, sentence)
            told = int(re.search(r"(\d+) seconds", sentence).group(1))
            expect(300 < told <= 420, sentence)
            # Where libkrb5 does not make up for it, it tells no time.
            with krb5_conf(lab, lambda text: text.replace(
                    "[libdefaults]", "[libdefaults]\n kdc_timesync = 0")) \
                    as settings:
                sentence, _ = finding(lab, "clock", 69, settings)
                expect("differ by more than Kerberos allows" in sentence,
                       sentence)
        finally:
            lab.realm.stop()
            lab.realm.start()
    expect_healthy(lab)


@behaviour
def a_realm_that_is_not_configured(lab):
    with krb5_conf(lab, lambda text: text.replace(
            " EXAMPLE.COM = {", " ELSEWHERE.EXAMPLE = {")) as settings:
        sentence, command = finding(lab, "realm", 69, settings)
        expect("the KDC of EXAMPLE.COM: " in sentence, sentence)
        expect("_kerberos._tcp.EXAMPLE.COM" in command, command)


@behaviour
def a_name_that_resolves_to_another(lab):
    """A client that canonicalises, and an address that has another name."""
    hosts = f"{lab.directory}/hosts"
    with open("/etc/hosts") as source, open(hosts, "w") as out:
        out.write("127.0.0.1 box17.example.com gw.example.com\n" +
                  source.read())
    with other_keytab(lab, "ktadd -norandkey -k {keytab} "
                      "socks/gw.example.com") as settings, \
            krb5_conf(lab, lambda text: text.replace(
                "dns_canonicalize_hostname = false",
                "dns_canonicalize_hostname = true")) as with_config:
        settings["kerberos"]["config"] = with_config["kerberos"]["config"]
        subprocess.run(["/bin/mount", "--bind", hosts, "/etc/hosts"],
                       check=True)
        try:
            status, said = check(lab, settings)
        finally:
            subprocess.run(["/bin/umount", "/etc/hosts"], check=True)
    expect_equal(status, 69, said)
    sentence, command = found(said, "host_name")
    expect("look up gw.example.com ask for a ticket to "
           "socks/box17.example.com" in sentence, sentence)
    expect_equal(command, "getent ahosts gw.example.com", "command")


# ---- the directory


@behaviour
def a_directory_that_is_not_there(lab):
    uri = f"ldap://127.0.0.1:{free_port()}"
    sentence, command = finding(lab, "directory", 69,
                                changed(lab, "directory", uri=[uri]))
    expect(f"{uri}: connecting: " in sentence, sentence)
    expect(f"-H {uri} " in command, command)


@behaviour
def a_certificate_of_another_name_or_out_of_date_or_of_another_ca(lab):
    for certificate, name, words in [
            ("other", "directory_name", "is for other.example.com"),
            ("expired", "directory_expired", "is out of date: 20"),
            ("server", None, None)]:
        lab.slapd.use_certificate(certificate)
        if name is None:
            expect_healthy(lab)
            continue
        sentence, command = finding(lab, name, 69)
        expect(words in sentence, sentence)
        expect(command.startswith("ldapsearch "), command)
    sentence, _ = finding(lab, "directory_tls", 69, changed(
        lab, "directory", ca_file=f"{lab.slapd.tls}/other.pem"))
    expect("not trusted" in sentence, sentence)


@behaviour
def a_password_that_is_wrong(lab):
    path = f"{lab.directory}/wrong.password"
    with open(path, "w") as out:
        out.write("wrong\n")
    os.chmod(path, 0o400)
    sentence, command = finding(lab, "directory_bind", 78, changed(
        lab, "directory", bind="simple", bind_dn=READER, password_file=path))
    expect("Invalid credentials" in sentence, sentence)
    expect(command.startswith("ldapwhoami "), command)


@behaviour
def a_search_base_that_is_missing(lab):
    for setting in ["rule_base", "user_base", "group_base"]:
        base = f"ou=nowhere,{SUFFIX}"
        sentence, command = finding(lab, "directory_base", 78, changed(
            lab, "directory", **{setting: base}))
        expect(f"directory.{setting}: " in sentence, sentence)
        expect(base in command, command)


@behaviour
def a_rule_set_that_is_empty(lab):
    sentence, _ = finding(lab, "rules_empty", 69, changed(
        lab, "directory", rule_base=PEOPLE))
    expect("no rule below" in sentence, sentence)
    settings = changed(lab, "directory", rule_base=PEOPLE)
    settings.setdefault("policy", {})["allow_empty"] = True
    expect_equal(check(lab, settings), (0, ""), "where that is allowed")


INDEXES = "olcDatabase={1}mdb,cn=config"


@behaviour
def an_attribute_without_an_index(lab):
    # Nobody but who is told to may see the indexes.
    lab.slapd.modify("dn: olcDatabase={0}config,cn=config\n"
                     "changetype: modify\nadd: olcAccess\n"
                     "olcAccess: to dn.subtree=cn=config "
                     "attrs=entry,children,objectClass,olcSuffix,olcDbIndex "
                     f'by dn.exact="{READER}" read\n', bind="cn=config")
    expect_healthy(lab)
    settings = changed(lab, "directory", user_filter="(seeAlso=%p)")
    finding(lab, "directory_index", 0, settings)
    # One that a filter of equality makes no use of.
    lab.slapd.modify(f"dn: {INDEXES}\nchangetype: modify\nadd: olcDbIndex\n"
                     "olcDbIndex: cn,seeAlso pres\n", bind="cn=config")
    finding(lab, "directory_index", 0, settings)
    settings = changed(lab, "directory", user_filter="(description=%p)")
    sentence, command = finding(lab, "directory_index", 0, settings)
    expect("no equality index on description" in sentence and
           sentence.startswith(f"{lab.gateway.directory}/checked.conf: "
                               "directory.user_filter: "), sentence)
    # The command is the administrator's on the directory's host.
    change, _, client = command.rpartition(" | ")
    expect(client.startswith("ldapmodify "), command)
    text = subprocess.run(["/bin/sh", "-ec", change], check=True, text=True,
                          capture_output=True).stdout
    lab.slapd.modify(text, bind="cn=config")
    expect_equal(check(lab, settings), (0, ""), "once that was done")


@behaviour
def a_directory_without_the_schema(lab):
    """Another one, of people only."""
    bare = Directory(f"{lab.directory}/bare", "/etc/ldap/schema/misc.ldif")
    bare.start()
    try:
        bare.modify(person("alice") + group("staff", user_dn("alice")))
        sentence, command = finding(lab, "directory_schema", 69, changed(
            lab, "directory", uri=[bare.uri], ca_file=bare.ca_file))
        expect("no object class gwRule" in sentence, sentence)
        expect(command.startswith("ldapadd ") and
               command.endswith("/schema/gatewarden.ldif"), command)
    finally:
        bare.stop()


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
