# SPDX-License-Identifier: ISC
"""How long the gateway's event loops are away from epoll_wait, and a load
for them (tests/long/loop_probe.c measures)."""

import array
import glob
import os
import shutil
import subprocess
import threading
import time

from tests.lab.lab import ROOT
from tests.lab.socks import Client

BUCKET_US = 10
STREAMS = 4
SESSIONS_A_SECOND = 10


def wrap_gateway(programs, scratch):
    """The programs, the gateway started with the probe."""
    copies = f"{scratch}/programs"
    os.mkdir(copies, 0o755)
    for path in glob.glob(f"{programs}/gatewarden*"):
        if os.path.isfile(path):
            shutil.copy(path, copies)
    probe = f"{scratch}/probe.so"
    subprocess.run(["cc", "-std=gnu17", "-O2", "-shared", "-fPIC", "-o",
                    probe, f"{ROOT}/tests/long/loop_probe.c"], check=True)
    histograms = f"{scratch}/histograms"
    os.mkdir(histograms)
    os.chmod(histograms, 0o1777)
    return copies, probe, histograms


def install_wrapper(directory, probe, histograms):
    gateway = f"{directory}/gatewarden-gateway"
    os.rename(gateway, f"{gateway}.real")
    with open(gateway, "w") as out:
        out.write(f"#!/bin/sh\nLOOP_PROBE_DIR={histograms} "
                  f"LD_PRELOAD={probe} exec {gateway}.real \"$@\"\n")
    os.chmod(gateway, 0o755)


class Phase:
    """What the histograms gained while it lasted."""

    def __init__(self, histograms):
        self.histograms = histograms
        self.before = self.read()

    def read(self):
        """Of the workers; the main thread has no sessions."""
        total = None
        for path in glob.glob(f"{self.histograms}/*"):
            pid, tid = os.path.basename(path).split(".")
            if pid == tid:
                continue
            with open(path, "rb") as source:
                counts = array.array("Q", source.read())
            total = counts if total is None else array.array(
                "Q", (a + b for a, b in zip(total, counts)))
        return total

    def gained(self):
        return [b - a for a, b in zip(self.before, self.read())]

    def percentile_ms(self, share):
        """And of how many callbacks."""
        gained = self.gained()
        wanted, seen = sum(gained) * share, 0
        for bucket, count in enumerate(gained):
            seen += count
            if seen >= wanted:
                return (bucket + 1) * BUCKET_US / 1000, sum(gained)
        raise AssertionError("no callbacks were seen")

    def longest_ms(self):
        """The histograms end at 100 ms."""
        return max((bucket + 1) * BUCKET_US / 1000
                   for bucket, count in enumerate(self.gained()) if count)


class Load:
    """Sealed downloads without end, and short sessions."""

    def __init__(self, lab, streams=STREAMS):
        self.lab, self.octets, self.sessions = lab, 0, 0
        self.failed, self.ending = 0, False
        self.acceptor = lab.acceptor()
        for _ in range(streams):
            client = Client(lab)
            client.connect(self.acceptor.address, self.acceptor.port)
            served = self.acceptor.accept()
            threading.Thread(target=self.feed, args=[served],
                             daemon=True).start()
            threading.Thread(target=self.drain, args=[client.sock],
                             daemon=True).start()
        threading.Thread(target=self.visit, daemon=True).start()

    def feed(self, served):
        served.settimeout(None)
        block = bytes(262144)
        try:
            while True:
                served.sendall(block)
        except OSError:
            pass

    def drain(self, sock):
        sock.settimeout(None)
        try:
            while more := len(sock.recv(1 << 20)):
                self.octets += more
        except OSError:
            pass

    def visit(self):
        while not self.ending:
            try:
                client = Client(self.lab, timeout=5)
                client.connect(self.acceptor.address, self.acceptor.port)
                self.acceptor.accept().close()
                client.close()
                self.sessions += 1
            except Exception:
                self.failed += 1
            time.sleep(1 / SESSIONS_A_SECOND)
