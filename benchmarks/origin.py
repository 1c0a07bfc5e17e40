"""A quick web server for benchmarks: `/<anything>.jpg` is a picture, and every POST is answered with 204."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import asyncio

from benchmarks.local_cloud import write_images
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/origin.py /tmp/pictures
  python benchmarks/origin.py /tmp/pictures --port 8099
"""
_ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Connection(asyncio.Protocol):
    """One request after another; what it answers goes out in one piece, or the other side's TCP waits 40 ms."""

    def __init__(self, answers: list[bytes], posted: asyncio.Queue[None]) -> None:
        self._answers = answers
        self._posted = posted
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            length = _content_length(head)
            if len(rest) < length:
                return
            self._read = rest[length:]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        method, path, _ = head.split(b" ", 2)
        if method == b"POST":
            self._posted.put_nowait(None)
            return _ACCEPTED
        return self._answers[sum(path) % len(self._answers)]


def _content_length(head: bytes) -> int:
    lines = (line.lower().partition(b":") for line in head.split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def _with_head(path: Path) -> bytes:
    data = path.read_bytes()
    return b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


async def serve(folder: Path, port: int) -> None:
    """Until it is ended; prints its port, and from then on a line for each POST."""
    answers = [_with_head(path) for path in sorted(folder.glob("*.jpg"))]
    posted: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers, posted), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    while True:
        await posted.get()
        print("posted", flush=True)


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the pictures are; made where there is none")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1 (default: a free one)")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        write_images(arguments.folder, 20)
    asyncio.run(serve(arguments.folder, arguments.port))
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(run(main))
