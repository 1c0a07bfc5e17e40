"""Creates the table ImageStats, which holds the totals of the gallery and the markers of what is counted in them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import Any

from cli import names
from setup_scripts.context import Context
from setup_scripts.tables import delete_table, ensure_table


def create(context: Context) -> None:
    table = ensure_table(context, context.suffixed(names.STATS_TABLE), schema())
    _let_markers_expire(context, table["TableName"])
    context.resources["stats-table"] = table["TableName"]
    context.resources["stats-table-arn"] = table["TableArn"]


def delete(context: Context) -> None:
    delete_table(context, context.suffixed(names.STATS_TABLE))
    for key in ("stats-table", "stats-table-arn"):
        context.resources.pop(key, None)


def schema() -> dict[str, Any]:
    """The table but for its name and tags: one key, billed by request."""
    return {
        "KeySchema": [{"AttributeName": "StatID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "StatID", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _let_markers_expire(context: Context, table_name: str) -> None:
    dynamodb = context.aws.dynamodb
    present = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    if present.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        dynamodb.update_time_to_live(
            TableName=table_name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ExpiresAt"}
        )


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
