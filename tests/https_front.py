"""HTTPS before a server that speaks HTTP: boto3 sends other requests over it, with checksums behind the bodies."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

HOST = "127.0.0.1"
_HOST = re.compile(rb"\r\nhost:[^\r]*\r\n", re.IGNORECASE)


@contextmanager
def https_front(port: int, context: ssl.SSLContext) -> Iterator[str]:
    """An address under which 127.0.0.1:`port` speaks HTTPS; the server hears its own name as Host."""
    loop = asyncio.new_event_loop()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, onward = await asyncio.open_connection(HOST, port)
        name = b"\r\nHost: %s:%d\r\n" % (HOST.encode(), port)
        await asyncio.gather(_pour(reader, onward, partial(_HOST.sub, name, count=1)), _pour(back, writer))

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(meet, HOST, 0, ssl=context)

    server = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pour(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes] = bytes
) -> None:
    # The head of a request comes in one piece from http.client.
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(change(data))
            await writer.drain()
    writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
