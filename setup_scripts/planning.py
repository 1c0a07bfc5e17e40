"""A setup that changes nothing: what it is connected to, and what its steps are given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from cli import local, names
from cli.arguments import Choice
from cli.connection import Connection, connect
from cli.state import copied_state
from cli.targets import LOCAL, Target
from pipeline.settings import home, local_port
from setup_scripts import package
from setup_scripts.context import Context
from setup_scripts.dry_run import Call, DryRun, settled, until
from setup_scripts.functions import FUNCTIONS
from setup_scripts.lookup import look


def planning(
    choice: Choice, tell: Callable[[Call], None], *, environ: Mapping[str, str] = os.environ
) -> AbstractContextManager[Connection]:
    """`connect`, but on a copy of the state, and with an `aws` that gives its calls to `tell` instead of changing.

    A local cloud that never ran is taken as empty; one that is stopped must be started by the person, for nobody else
    knows what it holds.
    """
    port, never_ran = local_port(environ), not (home(environ) / ".local_cloud").exists()

    def reach(port: int, start: Callable[[], None] | None) -> None:
        if not (never_ran and local.is_closed(port)):
            local.ensure_running(port, None)

    def dry(target: Target) -> DryRun:
        return DryRun(target, tell, empty=target.place == LOCAL and never_ran and local.is_closed(port))

    return connect(choice, environ=environ, wrap=dry, state=copied_state, reach=reach)


def dry_context(connection: Connection, **options: Any) -> Context:
    """What the steps are given: nothing to wait for, nothing to say, and no zip but to compare one that stands."""
    return Context.of(
        connection, lambda text: None, build=_build_for(connection), until=until, settled=settled, **options
    )


def _build_for(connection: Connection) -> Callable[..., Path]:
    # Asked once, before the first function is pretended to be made.
    any_stands = cache(lambda: any(_stands(connection, function.base_name) for function in FUNCTIONS))

    def build(runtime: package.Runtime, folder: Path, *, say: Callable[[str], None]) -> Path:
        return package.build(runtime, folder, say=say) if any_stands() else Path(os.devnull)

    return build


def _stands(connection: Connection, base_name: str) -> bool:
    functions, name = connection.aws.functions, names.suffixed(base_name, connection.target.name)
    return (
        look(lambda: functions.get_function_configuration(FunctionName=name), "ResourceNotFoundException") is not None
    )
