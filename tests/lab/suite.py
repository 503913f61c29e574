# SPDX-License-Identifier: ISC
"""Behaviours: functions that a lab is given to, named as sentences.

A test file holds functions marked @behaviour.  They share the file's lab
(its LAB says with which settings, its MAKE_LAB of which kind); one that is
marked with arguments gets a lab of its own, made with them.  A file says
ALONE = True where nothing may run beside it, LONG = True where it should be
begun early, and NEEDS_ROOT = True where an ordinary user's namespaces do not
do.
"""

import importlib.util
import os
import signal
import sys
import threading
import time
import traceback

from tests.lab import island
from tests.lab.lab import Lab
from tests.lab.process import adopt_orphans, end_children

LONGEST_SECONDS = 240

_found = []


def behaviour(function=None, **own_lab):
    """Marks a function that is given a lab."""
    def mark(marked):
        _found.append((marked, own_lab or None))
        return marked
    return mark(function) if function else mark


def expect(answer, what):
    """An assertion that survives python -O and says what was wanted."""
    if not answer:
        raise AssertionError(what)


def expect_equal(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} instead of {wanted!r}")


def _too_slow(*_):
    raise AssertionError(f"not finished within {LONGEST_SECONDS} s")


def _load(path):
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Report:
    def __init__(self, title):
        self.title, self.failed = title, 0

    def say(self, word, name, seconds, detail=""):
        sentence = name.replace("_", " ")
        print(f"{word} {self.title}: {sentence} ({seconds:.1f} s)")
        for line in detail.rstrip().splitlines():
            print(f"    {line}")
        sys.stdout.flush()
        self.failed += word != "ok"


def _attempt(function, lab):
    """None, or what went wrong."""
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(LONGEST_SECONDS)
    lab.use()
    try:
        function(lab)
        if lab.gateway:
            lab.gateway.assert_sane()
    except Exception:
        log = lab.gateway.log_text()[-6000:] if lab.gateway and \
            os.path.exists(lab.gateway.log) else ""
        return f"{traceback.format_exc()}gateway's log:\n{log}"
    finally:
        signal.alarm(0)
    return None


def _with_own_lab(function, make_lab, programs, arguments):
    try:
        with make_lab(programs, **arguments) as lab:
            return _attempt(function, lab)
    except Exception:
        return traceback.format_exc()


def run_file(path, programs, only=None):
    """Runs a file's behaviours; the number that failed."""
    module = _load(path)
    report = _Report(module.__name__.removeprefix("test_"))
    chosen = [(f, own) for f, own in _found
              if not only or only in f.__name__]
    shared, trouble = None, None
    make_lab = getattr(module, "MAKE_LAB", Lab)
    if any(own is None for _, own in chosen):
        try:
            shared = make_lab(programs, **getattr(module, "LAB", {}))
        except Exception:
            trouble = "the lab:\n" + traceback.format_exc()
    for function, own in chosen:
        start = time.monotonic()
        if own is not None:
            problem = _with_own_lab(function, make_lab, programs, own)
        else:
            problem = trouble or _attempt(function, shared)
        report.say("ok" if problem is None else "FAILED", function.__name__,
                   time.monotonic() - start, problem or "")
    if shared:
        start = time.monotonic()
        try:
            shared.close()
            report.say("ok", "the lab ends in order",
                       time.monotonic() - start)
        except Exception:
            report.say("FAILED", "the lab ends in order",
                       time.monotonic() - start, traceback.format_exc())
    return report.failed


def _end_with_input():
    """Whoever started us holds the other end of our input, and lets go of it
    when we are to end; no program of the lab has that input."""
    leash = os.dup(0)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)

    def wait():
        os.read(leash, 1)
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=wait, daemon=True).start()


def main():
    """suite.py PROGRAMS FILE [PART-OF-A-NAME], on a new island, its input a
    pipe (tests/system/run)."""
    programs, path = sys.argv[1:3]
    _end_with_input()
    adopt_orphans()
    island.settle()
    failed = run_file(path, programs, *sys.argv[3:4])
    left = end_children()
    if left:
        print(f"FAILED {os.path.basename(path)}: processes were left: {left}")
        failed += 1
    sys.stdout.flush()
    os._exit(1 if failed else 0)


if __name__ == "__main__":
    from tests.lab import suite
    suite.main()
