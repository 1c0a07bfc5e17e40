"""Makes what jobs of AWS Batch need: roles, a repository for their image, Fargate, queue, definition, function."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

from cli import names
from setup_scripts import batch_policies
from setup_scripts.batch_compute import delete_queue, ensure_queue
from setup_scripts.batch_definition import delete_definitions, ensure_definition, log_group
from setup_scripts.batch_options import BatchOptions
from setup_scripts.configure_lambda import runtime_for
from setup_scripts.context import Context
from setup_scripts.functions import SUBMITTING
from setup_scripts.lambda_functions import delete_function, ensure_function
from setup_scripts.log_groups import delete_group, ensure_group
from setup_scripts.lookup import look, tag_list
from setup_scripts.ownership import is_ours, leave, refuse
from setup_scripts.roles import delete_role, ensure_role, log_group_arn

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

_ROLES = (names.BATCH_JOB, names.BATCH_EXECUTION, names.BATCH_FUNCTION)
_KEYS = (
    "batch-architecture",
    "batch-queue",
    "batch-job-definition",
    "batch-repository",
    "batch-function",
    "batch-function-role-arn",
)
_BUCKETS = "setup_scripts/create_s3_buckets.py"
_NO_REPOSITORY = "RepositoryNotFoundException"


def create(context: Context) -> None:
    options = BatchOptions.of(context.resources)
    if options is None:
        return
    resources = context.resources
    if context.architecture:
        resources["batch-architecture"] = context.architecture
    repository, repository_arn = _ensure_repository(context)
    ensure_group(context, log_group(context))
    resources["batch-repository"] = repository
    queue_arn = ensure_queue(context, options)
    resources["batch-queue"] = context.suffixed(names.BATCH_QUEUE)
    definition_arn = ensure_definition(
        context,
        options,
        image=f"{repository}:latest",
        job_role=_ensure_job_role(context, options),
        execution_role=_ensure_execution_role(context, repository_arn),
        architecture=_architecture(context),
    )
    resources["batch-job-definition"] = definition_arn
    _ensure_submitting_function(context, options, queue_arn, definition_arn)
    _say_how_to_push(context, repository)


def delete(context: Context) -> None:
    if BatchOptions.of(context.resources) is None:
        return
    delete_function(context, SUBMITTING)
    delete_definitions(context)
    delete_queue(context)
    _delete_repository(context)
    for role in _ROLES:
        delete_role(context, names.role(context.suffixed(role), context.aws.target.region))
    delete_group(context, log_group(context))
    delete_group(context, names.log_group(context.suffixed(names.BATCH_FUNCTION)))
    for key in _KEYS:
        context.resources.pop(key, None)
    BatchOptions.forget(context.resources)


def _architecture(context: Context) -> str:
    """In the words of AWS Batch. Not the functions' default: the image is built where most have x86."""
    return "ARM64" if context.resources.get("batch-architecture") == "arm64" else "X86_64"


def _ensure_repository(context: Context) -> tuple[str, str]:
    """Address and ARN of the repository of the image; CommandError where another's has its name."""
    name = context.suffixed(names.BATCH_REPOSITORY)
    present = _find_repository(context, name)
    if present is None:
        tags = tag_list(context.tags)
        present = context.aws.ecr.create_repository(repositoryName=name, tags=tags)["repository"]  # type: ignore[arg-type]
        context.say(f"created: repository {name}")
    elif not _is_ours(context, present):
        raise refuse("repository", name)
    return present["repositoryUri"], present["repositoryArn"]


def _delete_repository(context: Context) -> None:
    name = context.suffixed(names.BATCH_REPOSITORY)
    present = _find_repository(context, name)
    if present and not _is_ours(context, present):
        leave(context, "repository", name)
    elif present:
        look(lambda: context.aws.ecr.delete_repository(repositoryName=name, force=True), _NO_REPOSITORY)
        context.say(f"deleted: repository {name}")


def _find_repository(context: Context, name: str) -> RepositoryTypeDef | None:
    answer = look(lambda: context.aws.ecr.describe_repositories(repositoryNames=[name]), _NO_REPOSITORY)
    return answer["repositories"][0] if answer else None


def _is_ours(context: Context, present: RepositoryTypeDef) -> bool:
    found = context.aws.ecr.list_tags_for_resource(resourceArn=present["repositoryArn"])["tags"]
    return is_ours(context, present["repositoryUri"], {tag["Key"]: tag["Value"] for tag in found})


def _ensure_job_role(context: Context, options: BatchOptions) -> str:
    policy = batch_policies.job_role(
        uploads=context.resources.require("images-bucket", _BUCKETS),
        outputs=context.resources.require("thumbnails-bucket", _BUCKETS),
        read=options.read,
        write=options.write,
    )
    return ensure_role(context, context.suffixed(names.BATCH_JOB), policy, trust=batch_policies.tasks_trust())


def _ensure_execution_role(context: Context, repository_arn: str) -> str:
    target = context.aws.target
    group = f"arn:aws:logs:{target.region}:{target.account}:log-group:{log_group(context)}"
    policy = batch_policies.execution_role(repository_arn=repository_arn, log_group_arn=group)
    return ensure_role(context, context.suffixed(names.BATCH_EXECUTION), policy, trust=batch_policies.tasks_trust())


def _ensure_submitting_function(context: Context, options: BatchOptions, queue_arn: str, definition_arn: str) -> None:
    function = context.suffixed(names.BATCH_FUNCTION)
    policy = batch_policies.submitting_role(
        outputs=context.resources.require("thumbnails-bucket", _BUCKETS),
        write=options.write,
        queue_arn=queue_arn,
        # Any revision: the next setup may make another one.
        definition_arn=f"{definition_arn.rpartition(':')[0]}*",
        log_group_arn=log_group_arn(context, function),
    )
    context.resources[SUBMITTING.role_key] = ensure_role(context, function, policy)
    ensure_group(context, names.log_group(function))
    runtime = runtime_for(context, SUBMITTING)
    code = context.build(runtime, context.home, say=context.say).read_bytes()
    environment = {"BATCH_QUEUE": context.suffixed(names.BATCH_QUEUE), "BATCH_JOB_DEFINITION": definition_arn}
    ensure_function(context, SUBMITTING, environment, code, runtime.machine)


def _say_how_to_push(context: Context, repository: str) -> None:
    """No image, no job: building it is for whoever has Docker."""
    region, registry = context.aws.target.region, repository.partition("/")[0]
    platform = "linux/arm64" if _architecture(context) == "ARM64" else "linux/amd64"
    context.say("Before the first job, and after each change of the code, build the image and push it:")
    context.say(
        f"  aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}"
    )
    context.say(f"  docker build --platform {platform} --target batch --tag {repository}:latest .")
    context.say(f"  docker push {repository}:latest")


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name, shows=("batch-queue", "batch-job-definition")))
