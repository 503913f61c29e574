# SPDX-License-Identifier: ISC
"""The auditor's spool and its chain, written apart from the program."""

import hashlib
import hmac
import os

EPOCH_RECORDS = 1024


def mac_of(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


class Spool:
    """A folder with records that are chained from a first key on."""

    def __init__(self, directory, key, segment_records=1000):
        self.directory, self.key0 = directory, key
        self.segment_records = segment_records
        os.makedirs(self.folder, exist_ok=True)

    @property
    def folder(self):
        return f"{self.directory}/spool"

    def write(self, messages):
        """Each a whole RFC 5424 message; they are numbered from 1 on."""
        key, mac, epoch = self.key0, bytes(32), 0
        for number, message in enumerate(messages, 1):
            while epoch < (number - 1) // EPOCH_RECORDS:
                key, epoch = mac_of(key, b"gatewarden epoch"), epoch + 1
            message = message.encode()
            mac = mac_of(key, mac + message)
            first = number - (number - 1) % self.segment_records
            with open(f"{self.folder}/{first:020}.log", "ab") as out:
                out.write(mac.hex().encode() + b" " + message + b"\n")
        with open(f"{self.directory}/chain.key", "w") as out:
            out.write(f"epoch {epoch}\nkey {key.hex()}\n")

    def lines(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            with open(f"{self.folder}/{name}") as source:
                text += source.read()
        return text.splitlines()

    def put(self, lines):
        """In place of what there is, as one segment."""
        for name in os.listdir(self.folder):
            os.unlink(f"{self.folder}/{name}")
        with open(f"{self.folder}/{1:020}.log", "w") as out:
            out.write("".join(f"{line}\n" for line in lines))
