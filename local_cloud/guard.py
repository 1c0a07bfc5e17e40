"""Keeps web pages out. Whoever reaches the local cloud can run code on this machine, so only programs of this machine
and pages that it serves itself may talk to it.

An emulator answers every page with `Access-Control-Allow-Origin: *`, and a page needs not even that: a plain-text POST
asks no permission first, and a Lambda function would be created and run. Three headers tell a page from a program; the
browser sets them and no script can change them:

- `Host` must be ours: a name of the attacker that is made to point at 127.0.0.1 (DNS rebinding) arrives with that name;
- `Origin` must be absent or ours: browsers add it to every request that could change something;
- `Sec-Fetch-Site` must not be `cross-site`: it also marks plain reads, such as an image on a foreign page. No page, of
  whichever site, may name an `Action` in an address, or an operation in `X-Amz-Target`: SQS and IAM take even a GET.

Pages that we serve may read, function URLs too, and nothing more: an HTML file among somebody's pictures, opened in the
browser, is such a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def guarded(app: App, *, port: int) -> App:
    """`app`, behind the guard: refused requests get 403 and a reason; no answer carries its CORS headers."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if reason := refusal(scope, port=port):
            return await _refuse(scope, send, reason)
        await app(scope, receive, _without_cors(send))

    return guard


def refusal(scope: Scope, *, port: int) -> str | None:
    """Why an HTTP or websocket request is refused, or None."""
    for host in _values(scope, b"host") or [""]:
        if not _is_ours(host, port):
            return f"Host {host!r} is not 127.0.0.1:{port} or localhost:{port}"
    if "cross-site" in _values(scope, b"sec-fetch-site"):
        return "it comes from a page of another site"
    for origin in _values(scope, b"origin"):
        if not origin.startswith("http://") or not _is_ours(origin.removeprefix("http://"), port):
            return f"it comes from a page of {origin!r}"
        if scope.get("method") not in READING:
            return "pages may read only"
    names_one = names_an_action(scope) or _values(scope, b"x-amz-target")
    if names_one and any(site != "none" for site in _values(scope, b"sec-fetch-site")):
        return "pages may not name operations"
    return None


def names_an_action(scope: Scope) -> bool:
    """Whether the address asks for an operation, as SQS and IAM let even a GET do."""
    return "Action" in parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in scope["headers"] if key.lower() == name]


def _is_ours(netloc: str, port: int) -> bool:
    host, _, given = netloc.rpartition(":")
    return given == str(port) and (host in ("127.0.0.1", "localhost") or host.endswith(".localhost"))


def _without_cors(send: Send) -> Send:
    async def send_clean(message: Message) -> None:
        if "headers" in message:
            message = {**message, "headers": list(_other_than_cors(message["headers"]))}
        await send(message)

    return send_clean


def _other_than_cors(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return (header for header in headers if not header[0].lower().startswith(b"access-control-"))


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted, so the handshake answers 403
        return
    body = f"The local cloud refuses this request: {reason}.\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
