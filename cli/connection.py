"""From the options of a command to something to work with: state opened, target found, clients ready."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli import console, local
from cli.arguments import Choice
from cli.aws import Aws
from cli.state import PlainShelf, Resources, open_state
from cli.targets import Resolver, Target
from pipeline.settings import home


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A command's hold on one deployment; valid while the state is open."""

    target: Target
    aws: Aws
    shelf: PlainShelf
    resources: Resources
    home: Path

    def remember(self) -> None:
        """Make this deployment the one that later commands act on."""
        self.target.remember(self.shelf)

    def forget(self) -> None:
        self.target.forget(self.shelf)


@contextmanager
def connect(
    choice: Choice,
    *,
    environ: Mapping[str, str] = os.environ,
    start: Callable[[], None] | None = None,
    say: Callable[[str], None] = console.say,
    wrap: Callable[[Target], Aws] = Aws,
    state: Callable[[Path], AbstractContextManager[PlainShelf]] = open_state,
    reach: local.Reach = local.ensure_running,
) -> Iterator[Connection]:
    """Open the state and reach the target. `start`: how to open a closed local port; root commands have it.

    `wrap`, `state` and `reach` are for runs that shall change nothing: see `setup_scripts/planning.py`.
    """
    folder = home(environ)
    with state(folder) as shelf:
        target = Resolver(environ=environ, home=folder, say=say, start=start, reach=reach).resolve(choice, shelf)
        resources = Resources(shelf, target.prefix)
        yield Connection(target=target, aws=wrap(target), shelf=shelf, resources=resources, home=folder)
