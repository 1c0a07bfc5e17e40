"""MiniStack as we serve it: behind the guard, saved while it runs and at the end; loaded before that."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from local_cloud import emulator
from local_cloud.guard import App, Message, Receive, Scope, Send, guarded
from local_cloud.snapshots import Snapshots, take
from local_cloud.writes import noting_writes

logger = logging.getLogger("local_cloud")


def hosted(state: Path, *, port: int) -> App:
    """The application to serve on `port`; `state` is the folder of the snapshots."""
    snapshots = Snapshots(state, emulator.save)
    served = guarded(noting_writes(emulator.app, snapshots.changed), port=port)

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await served(scope, receive, send)
        await _live(scope, receive, send, state, snapshots)

    return host


async def _live(scope: Scope, receive: Receive, send: Send, state: Path, snapshots: Snapshots) -> None:
    """One life of the server."""
    saving: list[asyncio.Task[None]] = []

    async def send_and_save(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            saving.append(asyncio.create_task(snapshots.run()))
        await send(message)

    async def receive_after_saving() -> Message:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await _end(saving)
            _save_last(state)
        return message

    await emulator.app(scope, receive_after_saving, send_and_save)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _save_last(state: Path) -> None:
    try:
        take(state, emulator.save)
        logger.info("saved")
    except Exception:
        logger.exception("the last snapshot failed; the one before it stands")
