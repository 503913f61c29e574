# SPDX-License-Identifier: ISC
"""gatewardenctl audit: real records, chained by Python, kept or changed."""

import json
import os
import re
import shutil
import stat
import subprocess

from tests.lab.lab import Island
from tests.lab.process import wait_until
from tests.lab.socks import Client, Closed, Refused, request_octets
from tests.lab.spool import Spool
from tests.lab.suite import behaviour, expect, expect_equal

KEY = bytes(range(100, 132))


def audit(lab, *words, status=0, text=""):
    """What gatewardenctl audit prints, and says besides."""
    done = subprocess.run(
        [f"{lab.gateway.programs}/gatewardenctl", "audit", *words],
        input=text, capture_output=True, text=True, timeout=60,
        env=lab.gateway.env)
    expect_equal(done.returncode, status,
                 f"status of {words}; {done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def document(lab, *words, **options):
    return json.loads(audit(lab, *words, "--json", **options)[0])


def some_records(lab):
    """Of sessions that were permitted and denied, as they were sent."""
    for user, host in [("alice", "www.example.com"), ("mallory", Island.web),
                       ("alice", Island.forbidden)]:
        with Client(lab, user=user) as client:
            name = client.name
            client.ready()
            try:
                client.put(request_octets(host, 9))
                client.read_reply()
            except (Refused, Closed):
                pass
        lab.audit.wait_for(client=name, event="close")
    known = len(lab.audit.records())
    path = f"{lab.syslog.directory}/audit.log"

    def written():
        with open(path) as source:
            return source.read().splitlines()
    return wait_until(lambda: len(written()) >= known and written(),
                      "all records")


def fresh(lab, name, messages):
    """A spool with the records, and the file with its key."""
    directory = f"{lab.directory}/{name}"
    shutil.rmtree(directory, ignore_errors=True)
    spool = Spool(directory, KEY, segment_records=5)
    spool.write(messages)
    path = f"{lab.directory}/first.key"
    with open(path, "w") as out:
        out.write(KEY.hex(" ", 4).upper() + "\n")
    return spool, path


def verify(lab, spool, key, *words, **options):
    return document(lab, "verify", "--spool", spool.folder, "--key", key,
                    *words, **options)


@behaviour
def a_key_is_made_once_and_shown_once(lab):
    directory = f"{lab.directory}/made/auditor"
    shown, said = audit(lab, "init", "--spool", f"{directory}/spool",
                        "--user", str(os.getuid()))
    for folder, mode in [(f"{lab.directory}/made", 0o711),
                         (directory, 0o700), (f"{directory}/spool", 0o700)]:
        expect_equal(stat.S_IMODE(os.stat(folder).st_mode), mode, folder)
    expect(re.fullmatch(r"([0-9a-f]{8} ){7}[0-9a-f]{8}\n", shown), shown)
    expect("keep it elsewhere" in said, said)
    path = f"{directory}/chain.key"
    expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
    with open(path) as source:
        text = source.read()
    expect_equal(text, f"epoch 0\nkey {shown.replace(' ', '')}", "file")
    _, said = audit(lab, "init", "--spool", f"{directory}/spool", status=65)
    expect("is there already" in said, said)
    with open(path) as source:
        expect_equal(source.read(), text, "file afterwards")
    found, _ = audit(lab, "verify", "--spool", f"{directory}/spool", "--key",
                     "-", text=shown)
    expect("findings: 0" in found, found)


@behaviour
def a_spool_with_records_gets_no_new_key(lab):
    spool, _ = fresh(lab, "old", some_records(lab))
    os.unlink(f"{spool.directory}/chain.key")
    _, said = audit(lab, "init", "--spool", spool.folder, status=65)
    expect("has records" in said, said)
    expect(not os.path.exists(f"{spool.directory}/chain.key"), "no key")


@behaviour
def what_python_chained_is_proved(lab):
    messages = some_records(lab)
    spool, key = fresh(lab, "good", messages)
    found = verify(lab, spool, key, "--last", messages[-1])
    expect_equal((found["lines"], found["proved"], found["findings"]),
                 (len(messages), len(messages), []), "document")
    # The receiver has it as one that waited, and in another form.
    element = messages[-1][messages[-1].index("["):]
    delayed = re.sub(r' event=', ' delayed="1" event=', element, count=1)
    found = verify(lab, spool, key, "--last",
                   f"Nov 26 10:00:00 gate gatewarden[7]: {delayed}")
    expect_equal(found["findings"], [], "findings")


@behaviour
def what_was_done_is_named_with_its_place(lab):
    messages = some_records(lab)
    expect(len(messages) > 10, "enough records")
    spool, key = fresh(lab, "bad", messages)
    good = spool.lines()
    for kind, first, lines in [
            ("changed", 4, good[:3] + [good[3].replace("seq", "sEq")] +
             good[4:]),
            ("changed", 4, good[:3] + [good[3][:-1] + "~"] + good[4:]),
            ("dropped", 4, good[:3] + good[4:]),
            ("inserted", 4, good[:4] + good[3:]),
            ("swapped", 4, good[:3] + [good[7]] + good[4:7] + [good[3]] +
             good[8:])]:
        spool.put(lines)
        found = verify(lab, spool, key, status=1)["findings"]
        expect_equal([(f["kind"], f["first"]) for f in found],
                     [(kind, first)], "findings")
        expect_equal((found[0]["file"], found[0]["line"]),
                     (f"{1:020}.log", 5 if kind == "inserted" else 4),
                     f"where it was {kind}")
    shown, _ = audit(lab, "verify", "--spool", spool.folder, "--key", key,
                     status=1)
    expect(f"{1:020}.log:4: records 4 and 8 were swapped\n" in shown, shown)


@behaviour
def what_is_missing_at_the_end_is_known_from_the_last(lab):
    messages = some_records(lab)
    count = len(messages)
    spool, key = fresh(lab, "short", messages)
    good = spool.lines()
    spool.put(good[:-2])
    for last in [messages[-1], str(count)]:
        found = verify(lab, spool, key, "--last", last, status=1)["findings"]
        expect_equal([(f["kind"], f["first"], f["last"]) for f in found],
                     [("truncated", count - 1, count)], "findings")
    expect_equal(verify(lab, spool, key)["findings"], [], "without --last")
    other = messages[2].replace(' instance="', ' instance="not-')
    found = verify(lab, spool, key, "--last", other, status=1)["findings"]
    expect_equal([(f["kind"], f["first"]) for f in found], [("differs", 3)],
                 "findings")


@behaviour
def what_is_missing_at_the_end_is_known_down_to_the_epoch(lab):
    message = some_records(lab)[0]
    spool, key = fresh(lab, "epochs", [
        re.sub(r'seq="\d+"', f'seq="{n}"', message)
        for n in range(1, 2060)])
    expect_equal(verify(lab, spool, key)["findings"], [], "findings")
    spool.put(spool.lines()[:2000])
    found = verify(lab, spool, key, status=1)["findings"]
    expect_equal([(f["kind"], f["first"], f["last"]) for f in found],
                 [("truncated", 2001, 2048)], "findings")


@behaviour
def a_wrong_key_is_told_from_a_forged_spool(lab):
    spool, key = fresh(lab, "key", some_records(lab))
    with open(key, "w") as out:
        out.write("00" * 32)
    found = verify(lab, spool, key, status=1)["findings"]
    expect_equal([f["kind"] for f in found],
                 ["wrong_key", "wrong_running_key"], "findings")
    with open(key, "w") as out:
        out.write("no key")
    audit(lab, "verify", "--spool", spool.folder, "--key", key, status=65)
    audit(lab, "verify", "--spool", spool.folder, "--key", "/nonexistent",
          status=66)
    audit(lab, "verify", "--spool", spool.folder, status=64)


@behaviour
def records_are_shown_and_found(lab):
    messages = some_records(lab)
    spool, _ = fresh(lab, "shown", messages)
    where = ["--spool", spool.folder]
    shown, _ = audit(lab, "show", *where)
    expect_equal(len(shown.splitlines()), len(messages), "lines")
    denied = [m for m in messages if 'event="decision"' in m and
              'outcome="fail"' in m]
    expect(denied, "something was denied")
    found = document(lab, "grep", *where, "event=decision",
                     "outcome=fail")["records"]
    expect_equal([r["seq"] for r in found],
                 [int(re.search(r'seq="(\d+)"', m)[1]) for m in denied],
                 "what was denied")
    expect(all(found[0]["sentence"] in m for m in denied[:1]),
           "the sentence that was sent")
    found = document(lab, "grep", *where, "identity=mallory@*",
                     "event=decision")["records"]
    expect({r["identity"] for r in found} == {"mallory@EXAMPLE.COM"}, found)
    session = found[-1]["session"]
    found = document(lab, "show", *where, "--session", str(session))["records"]
    expect({r["session"] for r in found} == {session}, "of one session")
    found = document(lab, "show", *where, "--last", "2")["records"]
    expect_equal([f'seq="{r["seq"]}"' in m
                  for r, m in zip(found, messages[-2:])], [True, True],
                 "the last two")
    moment = found[0]["time"][:19] + "Z"
    found = document(lab, "show", *where, "--until", moment)["records"]
    expect(all(r["time"][:19] < moment[:19] for r in found),
           "those before")
    since = document(lab, "show", *where, "--since", moment)["records"]
    expect_equal(len(found) + len(since), len(messages), "both")
    expect_equal(document(lab, "grep", *where, "identity=nobody")["records"],
                 [], "nothing")


@behaviour
def what_is_no_record_is_named_and_passed_over(lab):
    messages = some_records(lab)
    spool, _ = fresh(lab, "foreign", messages)
    spool.put(spool.lines()[:3] + ["hello"] + spool.lines()[3:])
    shown, said = audit(lab, "show", "--spool", spool.folder)
    expect_equal(len(shown.splitlines()), len(messages), "lines")
    expect(f"{1:020}.log:4: no record" in said, said)
    for words in [["grep"], ["show", "event=close"], ["grep", "colour=red"],
                  ["show", "--since", "noon"], ["show", "--last", "0"]]:
        audit(lab, words[0], "--spool", spool.folder, *words[1:], status=64)
