"""Creates a dashboard, and alarms for what needs a person (`setup.py --no-alarms` deletes them)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
from typing import Any

from cli import names
from cli.aws_words import FORBIDDEN
from setup_scripts.alarms import Watched, alarms
from setup_scripts.context import Context
from setup_scripts.create_image_service import WANTED as IMAGE_SERVICE_WANTED
from setup_scripts.dashboard import dashboard
from setup_scripts.functions import FUNCTIONS, IMAGE_SERVICE
from setup_scripts.lookup import look, tag_list
from setup_scripts.switches import ALARMS

#: Each engine has its own name for a dashboard that is not there.
_ABSENT = ("ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError")
#: What a person adds to an alarm, such as a topic that sends mail; putting an alarm replaces all of it.
_THEIRS = ("ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions")
_OF_THE_IMAGE_SERVICE = "-image-service"
#: In the state: what this step has made.
DASHBOARD = "dashboard"


def create(context: Context) -> None:
    if not ALARMS.is_on(context.resources):
        return delete(context)
    present = _alarms(context)
    for wanted in _wanted(context):
        _ensure_alarm(context, wanted, present.get(wanted["AlarmName"]))
    _ensure_dashboard(context)


def delete(context: Context) -> None:
    """Where this account may not look at CloudWatch, setup has made nothing there."""
    found = sorted(look(lambda: _alarms(context), *FORBIDDEN) or {})
    if found:
        context.aws.cloudwatch.delete_alarms(AlarmNames=found)
        context.say(f"deleted: {len(found)} alarms")
    name = _dashboard_name(context)
    if look(lambda: _dashboard(context, name), *FORBIDDEN) is not None:
        look(lambda: context.aws.cloudwatch.delete_dashboards(DashboardNames=[name]), *_ABSENT)
        context.say(f"deleted: dashboard {name}")
    context.resources.pop(DASHBOARD, None)


def _prefix(context: Context) -> str:
    return context.suffixed(names.TAG)


def _dashboard_name(context: Context) -> str:
    """Dashboards belong to the account, all else to a region."""
    return f"{_prefix(context)}-{context.aws.target.region}"


def _watched(context: Context) -> Watched:
    queue = _queue_name(context, "messages-queue", "create_sqs_queue.py")
    queues, functions = {"": (queue, f"{queue}{names.DEAD_LETTERS}")}, FUNCTIONS
    if IMAGE_SERVICE_WANTED in context.resources:
        step = "create_image_service.py"
        image_queue = _queue_name(context, "image-queue", step)
        queues[_OF_THE_IMAGE_SERVICE] = (image_queue, _queue_name(context, "image-dead-letter-queue", step))
        functions = (*FUNCTIONS, IMAGE_SERVICE)
    return Watched(queues=queues, functions=tuple(context.suffixed(function.base_name) for function in functions))


def _queue_name(context: Context, key: str, step: str) -> str:
    return context.resources.require(key, f"setup_scripts/{step}").rsplit("/", 1)[1]


def _wanted(context: Context) -> list[dict[str, Any]]:
    return list(alarms(_prefix(context), _watched(context)))


def _alarms(context: Context) -> dict[str, dict[str, Any]]:
    """Name → alarm, of those of this deployment that are there."""
    # Their names do not depend on the queues, whose addresses a teardown after a lost state does not know.
    queues = dict.fromkeys(("", _OF_THE_IMAGE_SERVICE), ("", ""))
    functions = tuple(context.suffixed(function.base_name) for function in (*FUNCTIONS, IMAGE_SERVICE))
    every = Watched(queues=queues, functions=functions)
    wanted = [one["AlarmName"] for one in alarms(_prefix(context), every)]
    found: list[Any] = list(context.aws.cloudwatch.describe_alarms(AlarmNames=wanted)["MetricAlarms"])
    return {alarm["AlarmName"]: alarm for alarm in found}


def _ensure_alarm(context: Context, wanted: dict[str, Any], present: dict[str, Any] | None) -> None:
    cloudwatch = context.aws.cloudwatch
    if present is None:
        tags: Any = tag_list(context.tags)
        cloudwatch.put_metric_alarm(**wanted, Tags=tags)
        return context.say(f"created: alarm {wanted['AlarmName']}")
    if any(present.get(name) != value for name, value in wanted.items()):
        theirs = {name: present[name] for name in _THEIRS if name in present}
        cloudwatch.put_metric_alarm(**wanted, **theirs)
        context.say(f"updated: alarm {wanted['AlarmName']}")


def _ensure_dashboard(context: Context) -> None:
    name, target = _dashboard_name(context), context.aws.target
    arns = [f"arn:aws:cloudwatch:{target.region}:{target.account}:alarm:{one['AlarmName']}" for one in _wanted(context)]
    body = dashboard(target.region, _watched(context), arns)
    present = _dashboard(context, name)
    if present is None:
        tags: Any = tag_list(context.tags)
        context.aws.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body), Tags=tags)
        context.say(f"created: dashboard {name}")
    elif present != body:
        context.aws.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))
        context.say(f"updated: dashboard {name}")
    context.resources[DASHBOARD] = name


def _dashboard(context: Context, name: str) -> Any:
    answer = look(lambda: context.aws.cloudwatch.get_dashboard(DashboardName=name), *_ABSENT)
    return json.loads(answer["DashboardBody"]) if answer else None


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
