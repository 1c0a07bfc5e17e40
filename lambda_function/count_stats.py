"""Counts the changes of the metadata table, which its stream delivers, into the totals that the gallery shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lambda_function.logs import function_logger
from pipeline.clients import make_client
from pipeline.settings import Settings
from pipeline.table.counting import Change
from pipeline.table.records import decode_item
from pipeline.table.stats import Stats

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

#: Seconds of silence: four tries end before the function does.
READ_TIMEOUT = 5

settings = Settings.from_environment(os.environ)
dynamodb = make_client(None, "dynamodb", read_timeout=READ_TIMEOUT)
stats = Stats(dynamodb, settings.stats_table_name)
logger = function_logger("count_stats")


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Takes all of the event in, or raises: then the stream delivers it again."""
    counted = stats.count(changes_in(event))
    logger.info("counted", extra={"records": len(event.get("Records", ())), "counted": counted})


def changes_in(event: dict[str, Any]) -> Iterator[Change]:
    for record in event.get("Records", ()):
        images = record["dynamodb"]
        yield Change(record["eventID"], _item(images.get("OldImage")), _item(images.get("NewImage")))


def _item(image: dict[str, Any] | None) -> dict[str, Any] | None:
    return decode_item(image) if image is not None else None
