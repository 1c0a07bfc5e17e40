"""What a person types: start, stop, status, logs."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from cli.console import printable_lines
from cli.local import HOST, endpoint
from local_cloud.environment import server_environment
from local_cloud.folder import Folder
from local_cloud.lock import Running, holder, is_held
from local_cloud.server import HELD
from local_cloud.tail import tail
from pipeline.settings import ROOT, SettingsError, home, local_port

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0
POLL = 0.05


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Context:
    """What the commands work with."""

    environ: Mapping[str, str]
    folder: Folder
    port: int
    auth: bool

    @classmethod
    def from_options(cls, options: argparse.Namespace, environ: Mapping[str, str]) -> Context:
        auth = environ.get("LOCAL_CLOUD_AUTH", "").strip().lower()
        if auth not in ("", "true", "false"):
            raise SettingsError(f"LOCAL_CLOUD_AUTH={auth!r} is neither true nor false. Leave it out for false.")
        port = getattr(options, "port", None) or local_port(environ)
        return cls(environ, Folder(home(environ)), port, getattr(options, "auth", False) or auth == "true")


def start(context: Context, *, foreground: bool) -> None:
    """Have the local cloud running and ready; nothing happens when it is. Raises CommandError."""
    if holder(context.folder.lock) is None:
        context.folder.make()
        if foreground:
            _become_server(context)
        _start_in_background(context)
    running = _wait_until_ready(context)
    _check_is_wanted(running, context)
    _say(f"The local cloud is running: {endpoint(running.port)} (data: {context.folder.path})")


def stop(context: Context, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """End the server of this folder and wait until it has saved. Raises CommandError."""
    running = holder(context.folder.lock)
    if running is None:
        return _say("The local cloud is not running.")
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while _holds(running.pid, context):
        if time.monotonic() > deadline:
            raise CommandError(
                f"The local cloud (process {running.pid}) has not stopped after {STOP_TIMEOUT:.0f} seconds. "
                f"Its log, {context.folder.log}, says what it is doing."
            )
        sleep(POLL)
    _say("The local cloud has stopped. Its data stays for the next start.")


def status(context: Context, *, as_json: bool) -> bool:
    """Print whether it runs, and where; True if it does."""
    running = holder(context.folder.lock)
    if as_json:
        facts = {"running": running is not None, "data": str(context.folder.path), "log": str(context.folder.log)}
        if running:
            facts |= {**asdict(running), "endpoint_url": endpoint(running.port), "ready": _is_ready(running.port)}
        text = json.dumps(facts)
    elif running:
        ready = "running" if _is_ready(running.port) else "starting, or too busy to answer"
        text = f"{ready}: {endpoint(running.port)} (process {running.pid}, data: {context.folder.path})"
    else:
        text = f"not running (data: {context.folder.path}). Start it with: python -m local_cloud start"
    print(text, flush=True)
    return running is not None


def logs(context: Context, *, lines: int, following: bool) -> None:
    """Print the end of the log and, when asked, all that comes after it. Raises CommandError."""
    if not context.folder.log.exists():
        raise CommandError(f"There is no log at {context.folder.log}: the local cloud has never run here.")
    for text in tail(context.folder.log, lines, following=following):
        # Keys get into the emulator's own lines as they are.
        print(printable_lines(text), end="", flush=True)


def _check_is_wanted(running: Running, context: Context) -> None:
    if running.port != context.port:
        raise CommandError(
            f"The local cloud of {context.folder.home} is already running on port {running.port}, not {context.port}. "
            f"Use it with LOCAL_CLOUD_PORT={running.port}, or stop it first: python -m local_cloud stop"
        )
    if running.auth != context.auth:
        raise CommandError(
            f"The local cloud is already running with authentication {'on' if running.auth else 'off'}. "
            "To change that, stop it first: python -m local_cloud stop"
        )


def _server_command(context: Context) -> list[str]:
    command = [sys.executable, "-m", "local_cloud.server", "--home", str(context.folder.home)]
    return [*command, "--port", str(context.port), *(["--auth"] if context.auth else [])]


def _become_server(context: Context) -> None:
    environment = server_environment(context.environ, context.folder, port=context.port, auth=context.auth)
    os.chdir(ROOT)
    os.execve(sys.executable, [*_server_command(context), "--foreground"], environment)


def _start_in_background(context: Context) -> None:
    """Start the server and wait until it or another holds the folder. Raises CommandError when it ends instead."""
    with context.folder.start_log.open("wb") as log:
        process = subprocess.Popen(
            _server_command(context),
            cwd=ROOT,
            env=server_environment(context.environ, context.folder, port=context.port, auth=context.auth),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in this terminal is not meant for it
        )
    while not _holds(process.pid, context):  # or it gave up: one that still tries would come up after the next `stop`
        if process.poll() == HELD:
            return  # somebody else was quicker; theirs is as good
        if process.returncode is not None:
            raise CommandError(f"The local cloud did not start.\n{_last_words(context.folder)}")
        time.sleep(POLL)
    process.returncode = 0  # it goes on living; without this Python warns of a process that was never waited for


def _holds(pid: int, context: Context) -> bool:
    running = holder(context.folder.lock)
    return running is not None and running.pid == pid


def _wait_until_ready(context: Context) -> Running:
    """The server of this folder, once it answers; it may be one that somebody else has just started."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        running = holder(context.folder.lock)
        if running and _is_ready(running.port):
            return running
        if not is_held(context.folder.lock):
            raise CommandError(f"The local cloud did not start.\n{_last_words(context.folder)}")
        time.sleep(POLL)
    raise CommandError(f"The local cloud is not ready after {START_TIMEOUT:.0f} seconds; see {context.folder.log}.")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(folder: Folder) -> str:
    return folder.start_log.read_text("utf-8", "replace").strip() or f"See {folder.log}."


def _say(text: str) -> None:
    print(text, file=sys.stderr)
