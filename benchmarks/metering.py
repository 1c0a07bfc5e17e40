"""A local cloud that writes down every request it answers: who asked for what, about which image, and how long it took.

The time of a request is the emulator's share: from its arrival to the last byte of the answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks.local_cloud import ROOT, command
from local_cloud.environment import server_environment
from local_cloud.folder import Folder
from local_cloud.guard import App, Message, Receive, Scope, Send
from local_cloud.writes import is_function_url

#: In the user agent of a benchmark's own clients.
BENCHMARK = "benchmark"
_KEY = re.compile(rb'"ImageID":\s*{\s*"S":\s*("(?:[^"\\]|\\.)*")')
_START = "import sys; from benchmarks.metering import serve; sys.exit(serve(*sys.argv[1:]))"
_FOLDERS = ("thumbnails/", "compressed/")


@dataclass(frozen=True)
class Request:
    """One request. `at`: Unix time of its arrival; `by`: "benchmark", "gallery" or, of a function, "function"."""

    at: float
    seconds: float
    call: str
    key: str
    by: str

    @property
    def end(self) -> float:
        return self.at + self.seconds


@contextmanager
def metered_cloud(environ: Mapping[str, str], log: Path) -> Iterator[None]:
    """Runs one with the folder and port that `environ` names, until the block ends."""
    home, port = Path(environ["IMAGE_PIPELINE_HOME"]), environ["LOCAL_CLOUD_PORT"]
    prepared = server_environment(environ, Folder(home), port=int(port), auth=False)
    line = [sys.executable, "-c", _START, str(home), port, str(log)]
    server = subprocess.Popen(line, cwd=ROOT, env=prepared)
    try:
        # Waits until it answers: one that holds the folder is not started again.
        _wait_until_held(server, home)
        command(dict(environ), "-m", "local_cloud", "start")
        yield
    finally:
        server.terminate()
        server.wait(60)


def serve(home: str, port: str, log: str) -> int:
    """The server process."""
    from local_cloud import emulator, server

    with Path(log).open("a", encoding="utf-8", buffering=1) as file:
        emulator.app = metered(emulator.app, lambda request: print(json.dumps(asdict(request)), file=file))
        return server.main(["--home", home, "--port", port])


def metered(app: App, note: Callable[[Request], object]) -> App:
    """`app`, calling `note` for each HTTP request that it has answered."""

    async def meter(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        began, heard = time.time(), bytearray()
        operation = _operation(scope)

        async def listen() -> Message:
            message = await receive()
            if operation:
                heard.extend(message.get("body", b""))
            return message

        try:
            await app(scope, listen, send)
        finally:
            note(_request(scope, operation, bytes(heard), began, time.time() - began))

    return meter


def read(log: Path) -> list[Request]:
    return [Request(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]


def _request(scope: Scope, operation: str, body: bytes, at: float, seconds: float) -> Request:
    if is_function_url(scope["path"]):
        return Request(at, seconds, "function URL", "", "gallery")
    by = BENCHMARK if BENCHMARK in _header(scope, b"user-agent") else "function"
    if operation:
        found = _KEY.search(body)
        return Request(at, seconds, operation, str(json.loads(found[1])) if found else "", by)
    call, key = _object(scope)
    return Request(at, seconds, call, key, by)


def _object(scope: Scope) -> tuple[str, str]:
    """The S3 call, and the key of the image that it is about: outputs lie in a folder of their image."""
    path = unquote(scope["path"]).lstrip("/")
    _, _, key = path.partition("/")
    if not key:
        return f"{scope['method']} bucket", ""
    call = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
    name = call.get(scope["method"], str(scope["method"]))
    folder = next((folder for folder in _FOLDERS if key.startswith(folder)), "")
    return (f"{name} output", key.removeprefix(folder).rpartition("/")[0]) if folder else (name, key)


def _operation(scope: Scope) -> str:
    """`DynamoDB GetItem` of the header `X-Amz-Target: DynamoDB_20120810.GetItem`; empty without one."""
    service, _, name = _header(scope, b"x-amz-target").partition(".")
    return f"{service.partition('_')[0].removeprefix('Amazon')} {name}" if name else ""


def _header(scope: Any, wanted: bytes) -> str:
    return next((str(value.decode("latin-1")) for name, value in scope["headers"] if name.lower() == wanted), "")


def _wait_until_held(server: subprocess.Popen[bytes], home: Path) -> None:
    from local_cloud.lock import holder

    deadline = time.monotonic() + 60
    while holder(Folder(home).lock) is None:
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the local cloud did not start: it ended with {server.poll()}")
        time.sleep(0.05)
