# SPDX-License-Identifier: ISC
"""What the lints share: which files there are, and how to object."""
import os
import re
import sys

PROGRAM_FOLDERS = ('base', 'auth', 'policy', 'relay', 'gateway', 'agent',
                   'ctl')
FOLDERS = PROGRAM_FOLDERS + ('tests',)

_TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def root():
    """The tree to look at: the argument, $srcdir, or where this lies."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get('srcdir') or os.path.dirname(os.path.dirname(here))


def files(top, suffixes, folders=FOLDERS):
    """Paths below the folders, in order, that end in one of suffixes."""
    found = []
    for folder in folders:
        for at, inner, names in os.walk(os.path.join(top, folder)):
            inner[:] = [name for name in inner
                        if name not in ('__pycache__', 'corpus')
                        and not name.startswith('.')]
            found += [os.path.relpath(os.path.join(at, name), top)
                      for name in names if name.endswith(tuple(suffixes))]
    return sorted(found)


def read(top, path):
    with open(os.path.join(top, path), encoding='utf-8') as file:
        return file.read()


def code_of(text):
    """The text without comments and what stands in quotes; same lines."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group())
    return _TOKEN.sub(blank, text)


def opening_comment(text):
    """The first paragraph behind the licence, as one line of words."""
    match = re.match(r'/\*.*?\*/\n/\*(.*?)\*/', text, re.S)
    if not match:
        return ''
    lines = [line.strip().lstrip('*').strip()
             for line in match.group(1).strip().split('\n')]
    if '' in lines:
        del lines[lines.index(''):]
    return ' '.join(lines).strip()


class Findings:
    """Prints each finding as path:line: what, and ends with a status."""

    def __init__(self):
        self.found = 0
        self.looked_at = 0

    def look(self):
        self.looked_at += 1

    def add(self, path, line, what):
        self.found += 1
        print(f'{path}:{line}: {what}')

    def finish(self):
        """A lint that saw nothing has proved nothing, and fails."""
        if self.looked_at == 0:
            print('nothing to look at')
            sys.exit(1)
        print(f'{self.looked_at} looked at, {self.found} findings')
        sys.exit(1 if self.found else 0)
