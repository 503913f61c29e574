# SPDX-License-Identifier: ISC
"""What has to hold whatever becomes of the directory."""

import contextlib
import threading
import time

from tests.lab.live import permitted
from tests.lab.socks import Client, Closed


class _Asker(threading.Thread):
    """Asks for what is forbidden, again and again."""

    def __init__(self, lab, forbidden):
        super().__init__()
        self.lab, self.forbidden = lab, forbidden
        self.ending, self.asked, self.wrong = False, 0, []
        self.start()

    def run(self):
        while not self.ending:
            for user, host in self.forbidden:
                try:
                    if permitted(self.lab, host, user=user):
                        self.wrong.append(f"{user} to {host}")
                    self.asked += 1
                except Closed:  # denied, too
                    pass
            time.sleep(0.05)


@contextlib.contextmanager
def last_rules_hold(lab, forbidden=(("mallory", "10.77.0.80"),
                                    ("alice", "10.77.9.9"))):
    """While it lasts nobody is permitted what the last good rules forbid, and
    a session that they permit, by a group, goes on."""
    target = lab.acceptor()
    client = Client(lab).connect(target.address, target.port)
    served = target.accept()
    asker = _Asker(lab, forbidden)
    try:
        yield
    finally:
        asker.ending = True
        asker.join()
    if asker.wrong or not asker.asked:
        raise AssertionError(f"permitted: {asker.wrong}; asked "
                             f"{asker.asked} times")
    client.put(b"still there")
    if served.recv(100) != b"still there":
        raise AssertionError("a session that was permitted has ended")
    client.close()
    served.close()
