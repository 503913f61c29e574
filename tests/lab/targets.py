# SPDX-License-Identifier: ISC
"""What clients want to reach: servers that remember who called."""

import http.server
import socket
import socketserver
import threading

IPV6_FREEBIND = 78
IP_FREEBIND = 15


def listening(address, port=0, backlog=128):
    """A listening socket; the address need not be an interface's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    else:
        listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


class Target:
    """Accepts, and hands each connection to `serve` in its own thread."""

    def __init__(self, address, port=0, serve=None):
        self.listener = listening(address, port)
        self.address, self.port = self.listener.getsockname()[:2]
        self.connections = 0
        self.octets = b""
        self._serve = serve or self._remember
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,),
                             daemon=True).start()

    def _one(self, connection):
        with connection:
            try:
                self._serve(connection)
            except OSError:
                pass

    def _remember(self, connection):
        while data := connection.recv(65536):
            self.octets += data

    def close(self):
        # shutdown wakes the thread in accept(); close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def discard(connection):
    while connection.recv(1 << 20):
        pass


class Acceptor:
    """A listening socket whose connections the test takes itself."""

    def __init__(self, address, port=0, backlog=128):
        self.listener = listening(address, port, backlog)
        self.listener.settimeout(20)
        self.address, self.port = self.listener.getsockname()[:2]

    def accept(self):
        connection, _ = self.listener.accept()
        connection.settimeout(20)
        return connection

    def close(self):
        self.listener.close()


class Web:
    """An HTTP server with one page."""

    def __init__(self, address, port=0, page="Hello from the other side.\n"):
        web = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.requests.append((self.client_address[0], self.path))
                body = page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def server_bind(self):
                pass

            def server_activate(self):
                pass

        self.server = Server((address, port), Handler, False)
        self.server.socket.close()
        self.server.socket = listening(address, port)
        self.address, self.port = self.server.socket.getsockname()[:2]
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Echo:
    """Sends every datagram back to whom it is from, and remembers it."""

    def __init__(self, address, port=0):
        six = ":" in address
        self.sock = socket.socket(
            socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        if six:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        self.sock.bind((address, port))
        self.address, self.port = self.sock.getsockname()[:2]
        self.got, self.sources = [], []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                payload, source = self.sock.recvfrom(65536)
            except OSError:
                return
            if source is None:  # closed
                return
            self.got.append(payload)
            self.sources.append(source[:2])
            try:
                self.sock.sendto(payload, source)
            except OSError:
                pass

    def close(self):
        # Closing alone does not wake who reads.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
