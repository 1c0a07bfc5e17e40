"""`python setup.py`: all steps, then names and addresses."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import Connection, connect
from cli.exits import CommandError
from cli.local import start_local_cloud
from cli.targets import Target
from setup_scripts.batch_options import add_batch_options, batch_options
from setup_scripts.package import ARCHITECTURES
from setup_scripts.switches import add_switches, remember_switches
from setup_scripts.variant_choice import add_variant_choice, remember_variants

EXAMPLES = (
    "python setup.py --local                 on this laptop, without an account",
    "python setup.py --aws                   in the AWS account of your credentials",
    "python setup.py --aws --dry-run         what it would make, change and leave; it does nothing",
    "python setup.py --aws --name blue       a second deployment beside the first",
    "python setup.py --aws --architecture x86_64",
    "python setup.py --aws --recover         aws_resources.db is lost: find everything again by its tags",
    "python setup.py --variant-formats webp,avif --variant-widths 320,640,1280",
    "python setup.py --preset small          more CPU, fewer bytes, from the next image on",
    "REDIRECT_QUEUES='Channel*' python setup.py --aws --with-image-service",
    "python setup.py --aws --with-batch --batch-read photos --batch-write archive",
    "python setup.py --aws --print-deployer-policy   with --with-batch: what that needs on top",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, set up, print; returns the exit code. Arguments of pip (`egg_info`) end here, with 2."""
    arguments = _parser().parse_args(argv)
    return exits.run(lambda: _work(arguments)(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "Makes buckets, queue, table, functions and page, or adjusts what is there; running it again is harmless.",
        *EXAMPLES,
        prog="setup.py",
    )
    parser.add_argument("--architecture", choices=ARCHITECTURES, help="of the functions on AWS (default: arm64)")
    parser.add_argument(
        "--recover", action="store_true", help="believe the tags, not aws_resources.db: it is lost, or of another time"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be made, changed and left; do nothing")
    parser.add_argument(
        "--print-deployer-policy", action="store_true", help="print the rights that these commands need, and do nothing"
    )
    parser.add_argument(
        "--cloudfront", action="store_true", help="keep the bucket private and serve all of it through CloudFront"
    )
    parser.add_argument(
        "--with-image-service",
        action="store_true",
        help="make the queue that takes messages with URLs, and its function",
    )
    add_batch_options(parser)
    add_switches(parser)
    add_variant_choice(parser)
    return parser


def _work(arguments: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    if arguments.print_deployer_policy:
        return _print_deployer_policy
    return _plan if arguments.dry_run else _set_up


def _print_deployer_policy(arguments: argparse.Namespace) -> int:
    """For the account and region of the target: an administrator prints it and gives it to somebody else."""
    from setup_scripts.batch_deployer_policy import batch_deployer
    from setup_scripts.deployer_policy import deployer

    rights = batch_deployer if arguments.with_batch else deployer
    with connect(Choice.from_arguments(arguments)) as connection:
        text = json.dumps(rights(connection.target.account, connection.target.region), indent=2)
    for line in text.splitlines():
        console.result(line)
    return exits.Exit.DONE


def _set_up(arguments: argparse.Namespace) -> int:
    from setup_scripts.alone import print_resources
    from setup_scripts.context import Context
    from setup_scripts.steps import set_up

    _refuse_cloudfront(local=arguments.cloudfront and arguments.local)
    with connect(Choice.from_arguments(arguments), start=start_local_cloud) as connection:
        console.say(f"Setting up on {connection.target.description}")
        _prepare(connection, arguments)
        _warn(connection)
        # First, so that teardown finds its way even when this dies half-way.
        connection.remember()
        set_up(Context.of(connection, console.say, **_options(arguments)))
        resources = dict(sorted(connection.resources.items()))
    print_resources(resources, as_json=arguments.json)
    return exits.Exit.DONE


def _plan(arguments: argparse.Namespace) -> int:
    """The same steps in the same order, on an `aws` that changes nothing."""
    from setup_scripts.dry_run import Call
    from setup_scripts.plan import Fate, Plan
    from setup_scripts.planning import dry_context, planning
    from setup_scripts.steps import set_up

    _refuse_cloudfront(local=arguments.cloudfront and arguments.local)
    calls: list[Call] = []
    with planning(Choice.from_arguments(arguments), calls.append) as connection:
        console.say(f"What setup would do on {connection.target.description}")
        _prepare(connection, arguments)
        _warn(connection)
        set_up(dry_context(connection, **_options(arguments)))
    plan = Plan.of(calls)
    if arguments.json:
        console.json_line(plan.as_json())
    else:
        plan.print()
    told = ", ".join(f"{len(plan.with_fate(fate))} {fate}" for fate in Fate)
    console.say(f"Would be: {told}. Nothing was done; names that end in a date and digits are drawn anew by setup")
    return exits.Exit.DONE


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the steps are told of the options."""
    return {"architecture": arguments.architecture}


def _warn(connection: Connection) -> None:
    from setup_scripts.idle_cost import idle_note

    if connection.target.is_aws:
        console.say("Note: everybody who has the gallery's address sees every key and every picture")
        console.say(f"Note: {idle_note(connection.resources)}")


def _refuse_other_partitions(target: Target) -> None:
    if not target.is_aws:
        return
    from botocore.exceptions import UnknownRegionError

    with suppress(UnknownRegionError):
        partition = target.session.get_partition_for_region(target.region)
        if partition != "aws":
            text = f"the region {target.region} is one of {partition}, where names in policies are others"
            raise CommandError(f"{text}: take a region of AWS's standard partition, for example eu-west-1")


def _prepare(connection: Connection, arguments: argparse.Namespace) -> None:
    """Refuse what the target has not, and put into the state what is known of the deployment before any step."""
    from setup_scripts.create_cloudfront import WANTED as PRIVATE_BUCKET
    from setup_scripts.create_image_service import WANTED as IMAGE_SERVICE
    from setup_scripts.recover import recover, recover_anew

    _refuse_other_partitions(connection.target)
    if arguments.architecture and not connection.target.is_aws:
        raise CommandError("--architecture is for AWS: the local cloud runs functions on this machine itself")
    # Before anything is put into the state: only an empty one is filled from the tags unasked.
    (recover_anew if arguments.recover else recover)(connection, console.say)
    remember_switches(arguments, connection.resources)
    remember_variants(arguments, connection.resources)
    if batch := batch_options(arguments, connection.resources):
        if not connection.target.is_aws:
            advice = "`python bulk/run_file_list_locally.py LIST` does the same here"
            raise CommandError(f"--with-batch is for AWS: the local cloud starts no containers. {advice}")
        batch.keep(connection.resources)
    if arguments.with_image_service:
        connection.resources[IMAGE_SERVICE] = "wanted"
    if arguments.cloudfront:
        _refuse_cloudfront(local=not connection.target.is_aws)
        connection.resources[PRIVATE_BUCKET] = "cloudfront"


def _refuse_cloudfront(*, local: bool) -> None:
    if local:
        raise CommandError("--cloudfront is for AWS: leave it out, or add --aws", exits.Exit.WRONG_USE)
