# SPDX-License-Identifier: ISC
"""An RFC 1928 and RFC 1961 client of our own, able to cheat.

Each step is a method of its own, so that a test can leave one out, repeat
it, or put other octets in its place.  Nothing here is shared with the
gateway.
"""

import hashlib
import ipaddress
import random
import selectors
import socket
import struct
import time

import gssapi.raw as gss

GSSAPI, NONE, PASSWORD = 1, 0, 2
CONNECT, BIND, UDP = 1, 2, 3
IPV4, NAME, IPV6 = 1, 3, 4
TOKEN, LEVEL, DATA, ABORT = 1, 2, 3, 0xFF

FLAGS = frozenset({
    gss.RequirementFlag.mutual_authentication,
    gss.RequirementFlag.replay_detection,
    gss.RequirementFlag.out_of_sequence_detection,
})
KRB5 = gss.OID.from_int_seq("1.2.840.113554.1.2.2")
SPNEGO = gss.OID.from_int_seq("1.3.6.1.5.5.2")

LARGEST_MESSAGE = 65535


class Aborted(Exception):
    """The gateway sent the abort of RFC 1961."""


class Closed(Exception):
    """The gateway closed (or reset) the connection."""


class Refused(Exception):
    """A SOCKS reply other than 0; the code is args[0]."""


class Disagreed(Exception):
    """The gateway's answer is not one of the protocol."""


def frame(kind, token, version=1):
    return struct.pack(">BBH", version, kind, len(token)) + token


def address_octets(host):
    """ATYP and DST.ADDR; a name goes as a name."""
    if isinstance(host, bytes):
        return bytes([NAME, len(host)]) + host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()
        return bytes([NAME, len(name)]) + name
    return bytes([IPV4 if address.version == 4 else IPV6]) + address.packed


def request_octets(host, port, command=CONNECT, version=5, reserved=0):
    return (bytes([version, command, reserved]) + address_octets(host) +
            struct.pack(">H", port))


class Client:
    """One connection to the gateway, and its security context."""

    def __init__(self, lab, user="alice", service=None, flags=FLAGS,
                 level=2, mech=KRB5, listener="main", timeout=20,
                 source=None, receive_buffer=None):
        self.lab, self.level = lab, level
        self.service = service or lab.service
        self.flags, self.mech = flags, mech
        self.user = user
        self.context = None
        self.granted = None
        self.plain = bytearray()
        self.bound = None
        address, port = lab.listeners[listener]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.socket(family)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                 receive_buffer)
        self.sock.settimeout(timeout)
        if source:
            self.sock.bind((source, 0))
        known = len(lab.audit.records())
        self.sock.connect((address, port))
        lab.audit.began(self.name, known)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # The connection

    @property
    def name(self):
        """Our end as records name it."""
        address, port = self.sock.getsockname()[:2]
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed("while sending") from error

    def read(self, count):
        """Exactly so many octets."""
        octets = b""
        while len(octets) < count:
            try:
                more = self.sock.recv(count - len(octets))
            except ConnectionResetError as error:
                raise Closed("by a reset") from error
            if not more:
                raise Closed(f"after {len(octets)} of {count} octets")
            octets += more
        return octets

    def read_to_end(self, limit=1 << 20):
        """Whatever still comes, up to the gateway's FIN or RST."""
        octets = b""
        while len(octets) < limit:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return octets
            if not more:
                return octets
            octets += more
        return octets

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Greeting, RFC 1928 section 3

    def greet(self, methods=(GSSAPI,)):
        self.send(bytes([5, len(methods), *methods]))
        return self.read_method()

    def read_method(self):
        version, method = self.read(2)
        if version != 5:
            raise Disagreed(f"version {version} of the method message")
        return method

    # Context, RFC 1961 section 3

    def read_frame(self, kind):
        version, got = self.read(2)
        if version != 1:
            raise Disagreed(f"version {version} of a message")
        if got == ABORT:
            raise Aborted()
        if got != kind:
            raise Disagreed(f"message type {got} instead of {kind}")
        return self.read(struct.unpack(">H", self.read(2))[0])

    def initiate(self, token=None):
        """One step of our side of the context; the token that it makes."""
        if self.context is None and token is None:
            self.target = gss.import_name(self.service.encode(),
                                          gss.NameType.hostbased_service
                                          if "/" not in self.service else
                                          gss.NameType.kerberos_principal)
            self.credential = gss.acquire_cred_from(
                {b"ccache": f"FILE:{self.lab.tickets[self.user]}".encode()},
                usage="initiate").creds
        step = gss.init_sec_context(
            self.target, self.credential, self.context, self.mech,
            self.flags, 0, None, token)
        self.context = step.context
        self.more_steps = step.more_steps
        return step.token

    def authenticate(self):
        """Context tokens both ways until the context is established."""
        self.send(frame(TOKEN, self.initiate()))
        self.finish_authentication()

    def finish_authentication(self):
        while True:
            answer = self.read_frame(TOKEN)
            if not self.more_steps:
                return
            token = self.initiate(answer)
            if not self.more_steps:
                return
            self.send(frame(TOKEN, token))

    # Protection level, RFC 1961 section 4

    def level_message(self, level=None):
        octet = bytes([self.level if level is None else level])
        return frame(LEVEL, gss.wrap(self.context, octet, False).message)

    def negotiate(self):
        self.send(self.level_message())
        return self.read_granted()

    def read_granted(self):
        plain = gss.unwrap(self.context, self.read_frame(LEVEL)).message
        if len(plain) != 1:
            raise Disagreed(f"{len(plain)} octets as protection level")
        self.granted = plain[0]
        return self.granted

    # Messages, RFC 1961 section 5

    def wrap(self, plain, confidential=None):
        if confidential is None:
            confidential = self.granted == 2 or (
                self.granted == 3 and random.random() < 0.5)
        return gss.wrap(self.context, plain, confidential).message

    def sealed(self, plain, confidential=None):
        """Octets for the wire: one message, or the plaintext at level 0."""
        if self.granted == 0:
            return plain
        return frame(DATA, self.wrap(plain, confidential))

    def open(self, token):
        plain = gss.unwrap(self.context, token)
        if self.granted == 2 and not plain.encrypted:
            raise Disagreed("a clear message at level 2")
        if self.granted == 1 and plain.encrypted:
            raise Disagreed("a confidential message at level 1")
        return plain.message

    def put(self, plain, confidential=None):
        for at in range(0, max(len(plain), 1), 60000):
            self.send(self.sealed(plain[at:at + 60000], confidential))

    def get(self, count):
        """Exactly so many octets of plaintext."""
        if self.granted == 0:
            return self.read(count)
        while len(self.plain) < count:
            self.plain += self.open(self.read_frame(DATA))
        octets = bytes(self.plain[:count])
        del self.plain[:count]
        return octets

    def get_to_end(self):
        octets = bytes(self.plain)
        self.plain.clear()
        try:
            while True:
                octets += (self.read(1) if self.granted == 0
                           else self.open(self.read_frame(DATA)))
        except Closed:
            return octets

    def closes_within(self, seconds=10):
        """RFC 1928 section 6: closed soon after a reply that refuses."""
        start = time.monotonic()
        behind = self.get_to_end()
        taken = time.monotonic() - start
        if behind or taken >= seconds:
            raise Disagreed(f"{behind!r} behind the reply, and the end after "
                            f"{taken:.1f} s")

    # Request, RFC 1928 section 4

    def ready(self):
        """Greeting, context and level: everything up to the request."""
        if self.greet() != GSSAPI:
            raise Disagreed("the gateway did not choose GSSAPI")
        self.authenticate()
        self.negotiate()
        return self

    def ask(self, host, port, command=CONNECT):
        self.put(request_octets(host, port, command))
        return self.read_reply()

    def read_reply(self):
        version, code, reserved, kind = self.get(4)
        if version != 5 or reserved != 0:
            raise Disagreed("the reply's version or reserved octet")
        size = {IPV4: 4, IPV6: 16}[kind]
        address = str(ipaddress.ip_address(self.get(size)))
        self.bound = (address, struct.unpack(">H", self.get(2))[0])
        if code != 0:
            raise Refused(code)
        return self.bound

    def connect(self, host, port):
        """The whole way to a target."""
        self.ready()
        self.ask(host, port)
        return self


class Transfer:
    """One end of a transfer both ways: sends what a seed says in writes of
    random sizes, then half-closes; counts and hashes both directions."""

    def __init__(self, sock, size, seed, client=None, largest=65000,
                 pace=None):
        self.sock, self.client = sock, client
        self.left = size
        self.random = random.Random(seed)
        self.largest = largest
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.sent_octets = self.got_octets = 0
        self.finished_at = None
        self.pace = pace  # octets a second, or None
        self._out = bytearray()
        self._in = bytearray()
        self.wrote_fin = self.saw_fin = False
        sock.setblocking(False)
        if client is not None and client.plain:
            self._take(bytes(client.plain))
            client.plain.clear()

    def fileno(self):
        return self.sock.fileno()

    def done(self):
        return self.wrote_fin and self.saw_fin

    def _more(self):
        size = min(self.left, self.random.choice(
            [1, 17, 1448, 4096, 16384, self.largest]))
        plain = self.random.randbytes(size)
        self.left -= size
        self.sent.update(plain)
        self.sent_octets += size
        sealed = self.client is not None and self.client.granted != 0
        self._out += self.client.sealed(plain) if sealed else plain

    def on_writable(self, elapsed):
        if self.pace and self.left and \
                self.sent_octets > self.pace * elapsed:
            return
        while not self.wrote_fin:
            if len(self._out) < 65536 and self.left:
                self._more()
                if not self.pace:
                    continue
            if self._out:
                try:
                    count = self.sock.send(self._out)
                except BlockingIOError:
                    return
                del self._out[:count]
                if self.pace:
                    return
            elif not self.left:
                self.sock.shutdown(socket.SHUT_WR)
                self.wrote_fin = True

    def on_readable(self):
        try:
            data = self.sock.recv(262144)
        except BlockingIOError:
            return
        if not data:
            if self._in:
                raise AssertionError("the stream ends within a message")
            self.saw_fin = True
            return
        if self.client is None or self.client.granted == 0:
            self._take(data)
            return
        self._in += data
        while len(self._in) >= 4:
            version, kind, size = struct.unpack(">BBH", self._in[:4])
            assert (version, kind) == (1, DATA), (version, kind)
            if len(self._in) < 4 + size:
                break
            self._take(self.client.open(bytes(self._in[4:4 + size])))
            del self._in[:4 + size]

    def _take(self, plain):
        self.got.update(plain)
        self.got_octets += len(plain)


def run_transfers(transfers, seconds=120):
    """Drives all ends in one loop until each has seen both FINs."""
    start = time.monotonic()
    with selectors.DefaultSelector() as selector:
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        for transfer in transfers:
            selector.register(transfer.sock, both, transfer)
        while selector.get_map():
            elapsed = time.monotonic() - start
            if elapsed > seconds:
                raise AssertionError(
                    f"{len(selector.get_map())} ends of transfers were not "
                    f"finished within {seconds} s")
            moved = False
            for key, events in selector.select(0.1):
                transfer = key.data
                if events & selectors.EVENT_WRITE:
                    before = transfer.sent_octets, transfer.wrote_fin
                    transfer.on_writable(elapsed)
                    moved |= before != (transfer.sent_octets,
                                        transfer.wrote_fin)
                if events & selectors.EVENT_READ:
                    transfer.on_readable()
                    moved = True
                wants = (0 if transfer.saw_fin else selectors.EVENT_READ) | \
                    (0 if transfer.wrote_fin else selectors.EVENT_WRITE)
                if not wants:
                    transfer.finished_at = elapsed
                    selector.unregister(transfer.sock)
                elif wants != key.events:
                    selector.modify(transfer.sock, wants, transfer)
            if not moved:
                time.sleep(0.002)
    return time.monotonic() - start


def assert_same(client, target):
    """Both directions arrived whole, in order, once."""
    assert client.sent_octets == target.got_octets, (
        f"{client.sent_octets} octets were sent, {target.got_octets} came")
    assert target.sent_octets == client.got_octets, (
        f"{target.sent_octets} octets were sent, {client.got_octets} came")
    assert client.sent.digest() == target.got.digest(), "client to target"
    assert target.sent.digest() == client.got.digest(), "target to client"


# Datagrams, RFC 1928 section 7 and RFC 1961 section 5

DATAGRAM_FLAGS = frozenset(FLAGS - {
    gss.RequirementFlag.out_of_sequence_detection})


def datagram_octets(host, port, payload, frag=0, reserved=0):
    return (struct.pack(">HB", reserved, frag) + address_octets(host) +
            struct.pack(">H", port) + payload)


class Association:
    """A UDP association of a client that is ready to ask for one."""

    def __init__(self, client, announce=("0.0.0.0", 0), source=None,
                 port=0, seconds=10):
        self.client = client
        self.relay = client.ask(*announce, UDP)
        own = source or client.sock.getsockname()[0]
        self.sock = socket.socket(
            socket.AF_INET6 if ":" in own else socket.AF_INET,
            socket.SOCK_DGRAM)
        self.sock.settimeout(seconds)
        self.sock.bind((own, port))

    def message(self, host, port, payload, frag=0, confidential=None):
        return self.client.sealed(
            datagram_octets(host, port, payload, frag), confidential)

    def put(self, octets):
        self.sock.sendto(octets, self.relay)

    def send(self, host, port, payload, **options):
        self.put(self.message(host, port, payload, **options))

    def receive(self, seconds=None):
        """(address, port, payload) of the next datagram."""
        if seconds is not None:
            self.sock.settimeout(seconds)
        octets, source = self.sock.recvfrom(65536)
        if source[:2] != self.relay:
            raise Disagreed(f"a datagram from {source}")
        if self.client.granted != 0:
            version, kind, size = struct.unpack(">BBH", octets[:4])
            if (version, kind, size) != (1, DATA, len(octets) - 4):
                raise Disagreed(f"a message that begins with {octets[:4]}")
            octets = self.client.open(octets[4:])
        size = {IPV4: 4, IPV6: 16}[octets[3]]
        if octets[:3] != b"\0\0\0":
            raise Disagreed(f"a header that begins with {octets[:3]}")
        address = str(ipaddress.ip_address(octets[4:4 + size]))
        port = struct.unpack(">H", octets[4 + size:6 + size])[0]
        return address, port, octets[6 + size:]

    def nothing_comes(self, seconds=0.3):
        self.sock.settimeout(seconds)
        try:
            octets = self.sock.recv(65536)
        except (socket.timeout, ConnectionRefusedError):
            return True
        raise AssertionError(f"there came {octets!r}")

    def close(self):
        self.sock.close()
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
