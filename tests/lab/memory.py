# SPDX-License-Identifier: ISC
"""What stands in other processes' memory: by gcore, and page by page."""

import os
import re
import struct

from tests.lab.process import run

# Mappings that are larger are not ours: a sanitizer's shadow.
LARGEST_MAPPING = 1 << 30
PAGE = os.sysconf("SC_PAGE_SIZE")
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ \S+\s*(.*)")
_PRESENT, _SWAPPED = 1 << 63, 1 << 62


def pieces(secret, length=8, step=4):
    """Parts of it that have so many octets: whoever has length + step - 1
    octets in a row has one of them."""
    octets = secret.encode()
    return {octets[at:at + length]
            for at in range(0, len(octets) - length + 1, step)}


def _mappings(pid):
    """Begin, end and name of what a process can read."""
    with open(f"/proc/{pid}/maps") as source:
        for match in filter(None, map(_MAPPING.match, source)):
            begin, end, name = match.groups()
            yield int(begin, 16), int(end, 16), name


def can_be_dumped(pid):
    """Not where a sanitizer has mapped terabytes: gcore would write them."""
    return all(end - begin <= LARGEST_MAPPING
               for begin, end, _ in _mappings(pid))


def _found(octets, wanted):
    return [piece.decode() for piece in wanted if piece in octets]


def in_file(path, wanted):
    """Those pieces that a file holds."""
    with open(path, "rb") as source:
        return _found(source.read(), wanted)


def in_core(pid, folder, wanted):
    """Those pieces that gcore's image of a process holds."""
    prefix = f"{folder}/core"
    run("/usr/bin/gcore", "-o", prefix, str(pid))
    path = f"{prefix}.{pid}"
    try:
        return in_file(path, wanted)
    finally:
        os.unlink(path)


def _resident(pagemap, begin, end):
    """The parts of a mapping that a process has touched."""
    pagemap.seek(begin // PAGE * 8)
    entries = struct.iter_unpack("=Q", pagemap.read((end - begin) // PAGE * 8))
    start = None
    for address, (entry,) in zip(range(begin, end, PAGE), entries):
        if entry & (_PRESENT | _SWAPPED):
            start = address if start is None else start
        elif start is not None:
            yield start, address
            start = None
    if start is not None:
        yield start, end


def in_pages(pid, wanted):
    """Those pieces that a process has in any page that it can read, also in
    those that are kept out of core dumps: with where they stand."""
    found = []
    with (open(f"/proc/{pid}/mem", "rb", buffering=0) as memory,
          open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap):
        for begin, end, name in _mappings(pid):
            if end - begin > LARGEST_MAPPING or name.startswith("[v"):
                continue
            for start, stop in _resident(pagemap, begin, end):
                memory.seek(start)
                octets = memory.read(stop - start)
                found += [f"{piece} in {name or 'anonymous memory'}"
                          for piece in _found(octets, wanted)]
    return found
