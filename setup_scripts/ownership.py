"""What is ours to change and to delete: what the state names, and what carries the deployment's tag.

Names alone prove nothing: an older system made its table and its function under names that are ours, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from cli.exits import CommandError
from setup_scripts.context import Context


def is_ours(context: Context, name: str, tags: Mapping[str, str]) -> bool:
    """Whether this deployment made what has this name and these tags; everything of ours is tagged as it is made."""
    return name in context.resources.values() or context.tags.items() <= tags.items()


def refuse(kind: str, name: str, otherwise: str = "") -> CommandError:
    """The error of a setup that would change what is somebody else's, and of which a teardown would delete it."""
    text = f"there is a {kind} {name} that this deployment did not make"
    return CommandError(f"{text}: choose another --name for the deployment{otherwise}")


def leave(context: Context, kind: str, name: str) -> None:
    context.say(f"left as it is: {kind} {name}, which this deployment did not make")
