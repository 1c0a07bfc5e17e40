"""The server process: `python -m local_cloud.server`, which `python -m local_cloud start` runs in a clean environment.

Order matters. The folder is locked first, so that nobody else touches it; the port is bound next, so that a taken one
is told before anything is loaded; then the state is loaded, and only then requests are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from pathlib import Path

from cli.local import HOST, endpoint
from local_cloud import whole_objects
from local_cloud.folder import Folder
from local_cloud.interpreter import bare_python
from local_cloud.lock import AlreadyRunningError, Running, announce, hold
from local_cloud.snapshots import LoadError, newest

LOG_BYTES = 5_000_000

#: The exit code of a server that found another one in its folder.
HELD = 3


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 1 when the port or the state cannot be used. Another server in the folder is HELD,
    and 1 in the foreground."""
    options = _parser().parse_args(arguments)
    folder = Folder(options.home)
    folder.make()
    try:
        lock = hold(folder.lock)  # until the process ends
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
        return 1 if options.foreground else HELD
    try:
        listener = _listen(options.port)
    except OSError as error:
        print(_port_taken(options.port, error), file=sys.stderr)
        return 1
    announce(lock, Running(pid=os.getpid(), port=options.port, auth=options.auth, started_at=time.time()))
    _log_to(folder.log, also_stderr=options.foreground)
    folder.empty_temporary()
    whole_objects.finish(folder.being_written)
    try:
        asyncio.run(_serve(folder, listener, options.port))
    except LoadError as error:
        print(_not_loaded(folder, error), file=sys.stderr)
        return 1
    lock.flush()  # a use after the end, so that nobody lets go of it earlier
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_cloud.server", description="Used by `start`.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--foreground", action="store_true")
    return parser


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a restart waits for old connections to expire
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(100)  # binding alone would not keep a second server off; who connects now waits for the loading
    except OSError:
        listener.close()
        raise
    return listener


def _port_taken(port: int, error: OSError) -> str:
    return (
        f"Port {port} of {HOST} cannot be used: {error.strerror}. Another program may be listening there. "
        f"Stop it, or take another port: LOCAL_CLOUD_PORT={port + 1} for this and all other commands."
    )


def _not_loaded(folder: Folder, error: LoadError) -> str:
    return (
        f"{error}; {folder.log} says why. Nothing was changed. Take the version of these programs that wrote "
        f"it, or put it right. To begin anew, move {folder.path} away."
    )


def _log_to(path: Path, *, also_stderr: bool) -> None:
    """One log, at most twice `LOG_BYTES`. Set up before MiniStack is imported, which then adds none of its own."""
    file = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handlers: list[logging.Handler] = [file, *([logging.StreamHandler()] if also_stderr else [])]
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


async def _serve(folder: Folder, listener: socket.socket, port: int) -> None:
    # Imported here: MiniStack reads the environment and looks for a log when it is imported, and takes half a second,
    # which nobody should wait for to hear that a port is taken.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from local_cloud import emulator, hosting

    emulator.prepare(bare_python(folder.python), notes=folder.being_written)
    app = hosting.hosted(folder.state, port=port)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = 10**9
    config.errorlog = logging.getLogger("local_cloud.http")
    logging.getLogger("local_cloud").info("starting on %s, data in %s", endpoint(port), folder.path)
    stop = _stop_signal()
    # Not as a part of the start that Hypercorn waits for: it would go on, and never save, where this fails.
    emulator.load(newest(folder.state))
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    await asyncio.to_thread(emulator.end_functions)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


if __name__ == "__main__":
    sys.exit(main())
