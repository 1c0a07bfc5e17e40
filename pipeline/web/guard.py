"""Says where a connection may go: the names are looked up here, and every address is checked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.errors import Code, RejectError, RetryError
from pipeline.web.addresses import Address, Network, is_allowed, parse_address

#: (host, port) → its addresses as text, in the order in which to try them. Raises socket.gaierror.
Resolve = Callable[[str, int], Sequence[str]]
#: What a resolver says when it may know better later; not every system has all of these words.
_PASSING = {getattr(socket, name, None) for name in ("EAI_AGAIN", "EAI_FAIL", "EAI_MEMORY", "EAI_SYSTEM")}
PORTS = frozenset((80, 443))


def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver: whatever spelling of an address it takes, it says which address that is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Lets connections go to public addresses and to `networks`, and there to `ports` only."""

    networks: Sequence[Network] = ()
    ports: frozenset[int] = PORTS
    resolve: Resolve = resolve

    def addresses(self, host: str, port: int, seconds: float) -> list[Address]:
        """All addresses of `host`, after each of them was checked, within `seconds`.

        Raises RejectError(URL_REFUSED) where a single one is not allowed, and RetryError where nobody knows just now.
        """
        if port not in self.ports:
            raise RejectError(Code.URL_REFUSED, f"port {port} of {host!r} may not be reached")
        addresses = [parse_address(text) for text in self._look_up(host, port, seconds)]
        if not addresses or not all(is_allowed(address, self.networks) for address in addresses):
            # Which address it is stays here: a stranger would learn the names inside of our network.
            raise RejectError(Code.URL_REFUSED, f"{host!r} has an address that is not public")
        return addresses

    def _look_up(self, host: str, port: int, seconds: float) -> Sequence[str]:
        try:
            return _in_a_thread(lambda: self.resolve(host, port)).result(seconds)
        except TimeoutError:
            raise RetryError(f"{host!r} could not be looked up in time") from None
        except socket.gaierror as error:
            if error.errno in _PASSING:
                raise RetryError(f"{host!r} could not be looked up: {error.strerror}") from error
            raise RejectError(Code.URL_REFUSED, f"there is no host {host!r}") from error
        except UnicodeError:
            raise RejectError(Code.URL_REFUSED, f"{host!r} is no name of a host") from None


def _in_a_thread(call: Callable[[], Sequence[str]]) -> Future[Sequence[str]]:
    """A look-up cannot be told to stop, so it gets a thread that may be left behind."""
    future: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="look-up").start()
    return future
