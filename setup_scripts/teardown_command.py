"""`python teardown.py`: deletes a deployment, and says what is left."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.confirm import confirm
from cli.connection import Connection, connect
from cli.exits import CommandError
from cli.local import start_local_cloud
from pipeline.settings import ROOT

if TYPE_CHECKING:
    from setup_scripts.context import Context
    from setup_scripts.dry_run import Call

SAMPLES = ROOT / "img"
#: Seconds for which SQS may answer for a deleted queue, and some more.
_QUEUES_LINGER = 75.0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, ask, tear down, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.keep_originals and arguments.delete_originals:
        _parser().error("--keep-originals and --delete-originals exclude each other")
    return exits.run(lambda: (_rehearse if arguments.dry_run else _tear_down)(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "Deletes everything that setup.py made: pictures, records, queues, functions, roles, logs.",
        "python teardown.py                  asks first",
        "python teardown.py --dry-run        says what it would do",
        "python teardown.py --yes --keep-originals",
        prog="teardown.py",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; refused where uploads would be lost")
    parser.add_argument("--keep-originals", action="store_true", help="leave the bucket of uploads as it is")
    parser.add_argument("--delete-originals", action="store_true", help="with --yes: delete uploads of yours, too")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, print each change")
    return parser


def _tear_down(arguments: argparse.Namespace) -> int:
    from setup_scripts.context import Context
    from setup_scripts.steps import tear_down

    with connect(Choice.from_arguments(arguments), start=start_local_cloud) as connection:
        console.say(f"Tearing down on {connection.target.description}")
        _look_first(connection, arguments)
        if not arguments.yes:
            confirm(lambda: "Delete all of it?", "nothing was deleted")
        context = Context.of(connection, console.say, keep_originals=arguments.keep_originals)
        tear_down(context)
        left = _leftovers(context)
        if not left:
            _forget(connection, keep_originals=arguments.keep_originals)
    _report(left, as_json=arguments.json)
    return exits.Exit.SOME_FAILED if left else exits.Exit.DONE


def _rehearse(arguments: argparse.Namespace) -> int:
    """The same steps on an `aws` that only prints, with a copy of the state, and nothing to start or to wait for."""
    from setup_scripts.planning import dry_context, planning
    from setup_scripts.steps import tear_down

    with planning(Choice.from_arguments(arguments), _tell) as connection:
        console.say(f"What teardown would do on {connection.target.description}")
        _look_first(connection, arguments)
        tear_down(dry_context(connection, keep_originals=arguments.keep_originals))
    return exits.Exit.DONE


def _tell(call: Call) -> None:
    if call.changes:
        console.result(f"would call {call}")


def _look_first(connection: Connection, arguments: argparse.Namespace) -> None:
    """Find what there is to delete, and refuse where it cannot be found, or must not be deleted just so."""
    from setup_scripts.recover import recover

    if not recover(connection, console.say):
        text = "aws_resources.db names nothing of this deployment, and these credentials may not look for it"
        advice = "bring the file that its setup.py wrote, or credentials with tag:GetResources"
        raise CommandError(f"{text}: {advice}", exits.Exit.REFUSED)
    _name_others(connection)
    _guard_originals(connection, arguments)


def _forget(connection: Connection, *, keep_originals: bool) -> None:
    """Empty the state, but for the name of a bucket that is kept: not everybody may look for it by its tag."""
    from setup_scripts.recover import ORIGINALS

    for key in list(connection.resources):
        if not (keep_originals and key == ORIGINALS):
            del connection.resources[key]
    connection.forget()


def _name_others(connection: Connection) -> None:
    """Who forgot `--name` or `--region` would read that nothing is left, and pay on."""
    if connection.resources:
        return
    others = sorted({key.rpartition("/")[0] for key in connection.shelf if key.count("/") > 1})
    if others:
        console.say(f"Nothing is known of {connection.target.prefix}; the state knows {', '.join(others)}")


def _guard_originals(connection: Connection, arguments: argparse.Namespace) -> None:
    """Say which uploads would be lost, and refuse to lose them on `--yes` alone."""
    from setup_scripts.lookup import look
    from setup_scripts.originals import originals

    bucket = connection.resources.get("images-bucket")
    if bucket is None or arguments.keep_originals:
        return
    found = look(lambda: originals(connection.aws.s3, bucket, SAMPLES), "NoSuchBucket")
    if found is None or found.count == 0:
        return
    lost = f"{found.count} uploads that are not from img/ ({console.byte_size(found.bytes)}) in {bucket}"
    console.say(f"This deletes {lost}")
    if arguments.yes and not (arguments.delete_originals or arguments.dry_run):
        raise CommandError(f"--yes alone does not delete {lost}: add --delete-originals or --keep-originals")


def _leftovers(context: Context) -> list[str]:
    """What still carries the tag, but for the bucket that is kept on purpose, and roles that could not go."""
    from setup_scripts.roles import ROLE_LEFT

    roles = [value for key, value in context.resources.items() if key.startswith(ROLE_LEFT)]
    return [*_tagged(context), *roles]


def _tagged(context: Context) -> list[str]:
    found = _found(context)
    if found is None:
        console.say("Whether anything is left that aws_resources.db does not name cannot be seen (tag:GetResources)")
    elif found and context.aws.target.is_aws and all(arn.split(":")[2] == "sqs" for arn in found):
        with suppress(CommandError):
            context.until(lambda: not _found(context), what="queues are still there", deadline=_QUEUES_LINGER)
        found = _found(context)
    return found or []


def _found(context: Context) -> list[str] | None:
    from setup_scripts.recover import tagged

    kept = context.resources.get("images-bucket") if context.keep_originals else None
    found = tagged(context.aws)
    return found and [arn for arn in found if arn != f"arn:aws:s3:::{kept}"]


def _report(left: list[str], *, as_json: bool) -> None:
    with console.heard_or_not():
        if as_json:
            console.json_line({"left": left})
            return
        for arn in left:
            console.result(f"left over: {arn}")
    console.say("Some resources are left: run the same command again" if left else "Nothing is left")
