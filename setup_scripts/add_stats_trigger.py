"""Lets every change of the metadata table be counted: its stream triggers the function that keeps the totals."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.event_sources import delete_triggers, ensure_trigger


def create(context: Context) -> None:
    from pipeline.table.stats import MOST_CHANGES

    table_name = context.resources.require("dynamodb-table", "setup_scripts/create_dynamodb_table.py")
    function = context.resources.require("stats-function", "setup_scripts/configure_lambda.py")
    stream_arn = context.aws.dynamodb.describe_table(TableName=table_name)["Table"]["LatestStreamArn"]
    wanted: dict[str, Any] = {"BatchSize": MOST_CHANGES, "MaximumBatchingWindowInSeconds": 0}
    # From the beginning of the stream: what was written before the trigger was there counts too.
    uuid = ensure_trigger(context, function, stream_arn, wanted, StartingPosition="TRIM_HORIZON")
    context.resources["stats-trigger-uuid"] = uuid


def delete(context: Context) -> None:
    delete_triggers(context, context.suffixed(names.STATS_FUNCTION), f":table/{context.suffixed(names.TABLE)}/")
    context.resources.pop("stats-trigger-uuid", None)


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
