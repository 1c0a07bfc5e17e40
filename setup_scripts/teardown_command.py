"""`python teardown.py`: deletes a deployment, and says what is left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import Connection, connect
from cli.exits import CommandError
from cli.local import start_local_cloud
from cli.state import Resources
from pipeline.settings import ROOT

if TYPE_CHECKING:
    from setup_scripts.context import Context

SAMPLES = ROOT / "img"
#: Seconds for which SQS may answer for a deleted queue, and some more.
_QUEUES_LINGER = 75.0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, ask, tear down, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.keep_originals and arguments.delete_originals:
        _parser().error("--keep-originals and --delete-originals exclude each other")
    return exits.run(lambda: _tear_down(arguments))


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
    from setup_scripts.recover import recover
    from setup_scripts.steps import tear_down

    with connect(Choice.from_arguments(arguments), start=start_local_cloud) as connection:
        console.say(f"Tearing down on {connection.target.description}")
        if not recover(connection, console.say):
            text = "aws_resources.db names nothing of this deployment, and these credentials may not look for it"
            advice = "bring the file that its setup.py wrote, or credentials with tag:GetResources"
            raise CommandError(f"{text}: {advice}", exits.Exit.REFUSED)
        _name_others(connection)
        _guard_originals(connection, arguments)
        if arguments.dry_run:
            tear_down(rehearsal(connection, keep_originals=arguments.keep_originals))
            return exits.Exit.DONE
        _ask(arguments)
        context = _context(connection, keep_originals=arguments.keep_originals)
        tear_down(context)
        left = _leftovers(context)
        if not left:
            for key in list(connection.resources):
                del connection.resources[key]
            connection.forget()
    _report(left, as_json=arguments.json)
    return exits.Exit.SOME_FAILED if left else exits.Exit.DONE


def _context(connection: Connection, *, keep_originals: bool) -> Context:
    from setup_scripts.context import Context

    return Context.of(connection, console.say, keep_originals=keep_originals)


def rehearsal(connection: Connection, *, keep_originals: bool) -> Context:
    """The same steps on an `aws` that only prints, with a copy of the state, and nothing to wait for."""
    from setup_scripts.context import Context
    from setup_scripts.dry_run import Call, DryRun, until

    def tell(call: Call) -> None:
        if call.changes:
            console.result(f"would call {call}")

    copy = Resources(dict(connection.shelf), connection.target.prefix)
    return Context(
        aws=DryRun(connection.target, tell),
        resources=copy,
        home=connection.home,
        say=lambda text: None,
        keep_originals=keep_originals,
        until=until,
    )


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


def _ask(arguments: argparse.Namespace) -> None:
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: add --yes")
    if console.ask("Delete all of it? Type yes to go on: ") != "yes":
        raise CommandError("nothing was deleted", exits.Exit.INTERRUPTED)


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
    if as_json:
        console.json_line({"left": left})
        return
    for arn in left:
        console.result(f"left over: {arn}")
    console.say("Some resources are left: run the same command again" if left else "Nothing is left")
