"""`setup.py --with-batch` and what goes with it: checked before any call, then kept in the state for later setups."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from cli.arguments import positive
from cli.exits import CommandError, Exit

#: Where the state says that a deployment has AWS Batch; its value is how large a job is.
WANTED = "batch-job-size"
_MAX_VCPUS, _READ, _WRITE, _SUBNETS = "batch-max-vcpus", "batch-read", "batch-write", "batch-subnets"

#: vCPUs of a Fargate task → the memory that goes with them, in MB.
#: https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
FARGATE: Mapping[str, tuple[int, ...]] = {
    "0.25": (512, 1024, 2048),
    "0.5": tuple(range(1024, 4097, 1024)),
    "1": tuple(range(2048, 8193, 1024)),
    "2": tuple(range(4096, 16385, 1024)),
    "4": tuple(range(8192, 30721, 1024)),
    "8": tuple(range(16384, 61441, 4096)),
    "16": tuple(range(32768, 122881, 8192)),
}
DEFAULT_VCPUS, DEFAULT_MEMORY, DEFAULT_MAX_VCPUS = "1", 2048, 64


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How large one job is, how much may run at one time, and which buckets jobs may read or write besides our own.

    `memory` in MB. Without `subnets`, those of the default VPC.
    """

    vcpus: str = DEFAULT_VCPUS
    memory: int = DEFAULT_MEMORY
    max_vcpus: int = DEFAULT_MAX_VCPUS
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()

    @classmethod
    def of(cls, resources: Mapping[str, str]) -> BatchOptions | None:
        """What the state says; None where the deployment is without AWS Batch."""
        if WANTED not in resources:
            return None
        vcpus, _, memory = resources[WANTED].partition(" vCPU, ")
        return cls(
            vcpus=vcpus,
            memory=int(memory.removesuffix(" MB")),
            max_vcpus=int(resources.get(_MAX_VCPUS, DEFAULT_MAX_VCPUS)),
            read=_names(resources, _READ),
            write=_names(resources, _WRITE),
            subnets=_names(resources, _SUBNETS),
        )

    def keep(self, resources: MutableMapping[str, str]) -> None:
        resources[WANTED] = f"{self.vcpus} vCPU, {self.memory} MB"
        resources[_MAX_VCPUS] = str(self.max_vcpus)
        for key, values in ((_READ, self.read), (_WRITE, self.write), (_SUBNETS, self.subnets)):
            if values:
                resources[key] = " ".join(values)

    @staticmethod
    def forget(resources: MutableMapping[str, str]) -> None:
        for key in (WANTED, _MAX_VCPUS, _READ, _WRITE, _SUBNETS):
            resources.pop(key, None)


def add_batch_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("AWS Batch, remembered once said (docs/batch.md)")
    group.add_argument("--with-batch", action="store_true", help="also what bulk/submit_batch.py needs: Fargate jobs")
    group.add_argument("--batch-vcpu", choices=list(FARGATE), help=f"of one job (default: {DEFAULT_VCPUS})")
    group.add_argument("--batch-memory", type=positive, metavar="MB", help=f"of one job (default: {DEFAULT_MEMORY})")
    group.add_argument(
        "--batch-max-vcpus", type=positive, metavar="N", help=f"of all jobs at one time (default: {DEFAULT_MAX_VCPUS})"
    )
    group.add_argument("--batch-read", action="append", metavar="BUCKET", help="jobs may read its images; repeatable")
    group.add_argument(
        "--batch-write", action="append", metavar="BUCKET", help="jobs may write there, and lists may lie there"
    )
    group.add_argument("--batch-subnets", nargs="+", metavar="ID", help="instead of those of the default VPC")


def batch_options(arguments: argparse.Namespace, resources: Mapping[str, str]) -> BatchOptions | None:
    """What was said now over what was said before; None without AWS Batch. CommandError before anything is done."""
    before = BatchOptions.of(resources)
    if before is None and not arguments.with_batch:
        if said := [name for name in _SAID if getattr(arguments, name) is not None]:
            option = said[0].replace("_", "-")
            raise CommandError(f"--{option} goes with --with-batch", Exit.WRONG_USE)
        return None
    before = before or BatchOptions()
    options = BatchOptions(
        vcpus=arguments.batch_vcpu or before.vcpus,
        memory=arguments.batch_memory or before.memory,
        max_vcpus=arguments.batch_max_vcpus or before.max_vcpus,
        read=tuple(arguments.batch_read or before.read),
        write=tuple(arguments.batch_write or before.write),
        subnets=tuple(arguments.batch_subnets or before.subnets),
    )
    _require_legal(options)
    return options


_SAID = ("batch_vcpu", "batch_memory", "batch_max_vcpus", "batch_read", "batch_write", "batch_subnets")


def _require_legal(options: BatchOptions) -> None:
    allowed = FARGATE[options.vcpus]
    if options.memory not in allowed:
        text = f"Fargate has no {options.vcpus} vCPU with {options.memory} MB: with {options.vcpus} vCPU"
        raise CommandError(f"{text} there are {_spoken(allowed)} MB (--batch-memory)", Exit.WRONG_USE)
    if options.max_vcpus < max(1.0, float(options.vcpus)):
        raise CommandError(f"--batch-max-vcpus {options.max_vcpus} is less than one job takes", Exit.WRONG_USE)


def _spoken(sizes: tuple[int, ...]) -> str:
    if len(sizes) < 4:
        return ", ".join(map(str, sizes))
    return f"{sizes[0]}, {sizes[1]}, {sizes[2]} … {sizes[-1]}"


def _names(resources: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(resources.get(key, "").split())
