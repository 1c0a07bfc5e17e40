"""urllib3 with its connections hooked: they go to checked addresses only, and a timeout is one of the wall clock.

A name is resolved once for each connection, every address that it has is checked, and the connection is made to one of
these very addresses, so that a resolver which changes its mind gains nothing. urllib3's own timeouts begin anew with
each packet; here each wait of the socket is only as long as what is left of the request's time.
Bytes are counted there, too.
"""

from __future__ import annotations

import http.client
import logging
import math
import socket
import ssl
import time
from typing import Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from pipeline.errors import Code, RejectError
from pipeline.web.addresses import Address
from pipeline.web.guard import Guard

#: Seconds for one address; a host may have others that answer.
CONNECT_TIMEOUT = 5.0
#: How many hosts keep connections open; those least recently used are closed first.
HOSTS_KEPT = 50
#: Of one answer, with its headers and what frames it: more than any image that is taken.
MOST_BYTES = 64_000_000
#: Of answers that only announce the one to come.
MOST_INTERIM = 100


class Until(Timeout):
    """A moment of `time.monotonic`, where urllib3 asks for a timeout: each time it asks it gets what is left."""

    def __init__(self, ends: float) -> None:
        super().__init__()
        self.ends = ends

    @property
    def left(self) -> float:
        return max(self.ends - time.monotonic(), 0.001)

    @property
    def connect_timeout(self) -> float:
        return self.left

    @property
    def read_timeout(self) -> float:
        return self.left

    def clone(self) -> Until:
        return self


class _ClockedSocket(socket.socket):
    """Waits no longer than until `ends`, however often the other side sends a byte, and takes no more than `most`."""

    ends = math.inf
    most = MOST_BYTES

    def tick(self) -> None:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole request is over")
        self.settimeout(None if math.isinf(left) else left)

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.tick()
        received = super().recv_into(*arguments, **named)
        self.most -= received
        if self.most < 0:
            # Counted here because http.client believes a length below zero, and reads on to the end without it.
            raise RejectError(Code.TOO_LARGE, f"the answer has more than {MOST_BYTES} bytes")
        return received

    def send(self, *arguments: Any) -> int:
        self.tick()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.tick()
        super().sendall(*arguments)


class _ClockedTLSSocket(_ClockedSocket, ssl.SSLSocket):
    """The same with TLS; the handshake waits for its timeout as a whole by itself."""


class _FinalResponse(http.client.HTTPResponse):
    """Passes over answers that announce another one (102, 103 …), as http.client does over 100 alone."""

    def begin(self) -> None:
        for _ in range(MOST_INTERIM):
            super().begin()
            # 101 is the last that is HTTP.
            if not 102 <= self.status < 200:
                return
            # Or what comes next would count as read already.
            self.headers = self.msg = None  # type: ignore[assignment]
        raise http.client.HTTPException(f"more than {MOST_INTERIM} interim answers")


class _GuardedConnection(HTTPConnection):
    """Connects where its guard says, and turns the timeout that urllib3 sets into a moment at which everything ends."""

    guard: ClassVar[Guard]
    response_class = _FinalResponse
    _ends = math.inf

    @property
    def timeout(self) -> float | None:
        return None if math.isinf(self._ends) else max(self._ends - time.monotonic(), 0)

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._ends = math.inf if seconds is None else time.monotonic() + seconds
        self._wind_clock()

    def _wind_clock(self) -> None:
        sock = getattr(self, "sock", None)
        if isinstance(sock, _ClockedSocket):
            sock.ends = self._ends
            sock.most = MOST_BYTES

    def connect(self) -> None:
        super().connect()
        self._wind_clock()

    def _new_conn(self) -> socket.socket:
        left = self._ends - time.monotonic()
        addresses = self.guard.addresses(self._dns_host, self.port, left)
        for address in addresses[:-1]:
            try:
                return self._connected(address)
            except (ConnectTimeoutError, NewConnectionError):
                continue
        return self._connected(addresses[-1])

    def _connected(self, address: Address) -> _ClockedSocket:
        sock = _ClockedSocket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            left = self._ends - time.monotonic()
            sock.settimeout(min(max(left, 0.001), CONNECT_TIMEOUT))
            sock.connect((str(address), self.port))
            sock.ends = self._ends
            sock.tick()
        except TimeoutError as error:
            sock.close()
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            sock.close()
            raise NewConnectionError(self, f"no connection: {error.strerror}") from error
        return sock


def guarded_pools(guard: Guard, *, tls: ssl.SSLContext, per_host: int) -> PoolManager:
    """A pool of connections that `guard` watches over: at most `per_host` at one time, kept open for the next request.

    Who finds all of them taken waits for one. Requests must be made with `Until`.
    """

    # Where a header cannot be parsed, urllib3 would log the whole URL, and what the server sent.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

    class Plain(_GuardedConnection): ...

    class Secure(_GuardedConnection, HTTPSConnection): ...

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    Plain.guard = Secure.guard = guard
    tls.sslsocket_class = _ClockedTLSSocket
    pools = PoolManager(HOSTS_KEPT, maxsize=per_host, block=True, ssl_context=tls)
    pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return pools
