"""The Lambda entry point for the queue: a batch of messages in, the ids of those that must come back out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline.clients import make_client
from pipeline.consume import consume
from pipeline.errors import RetryError
from pipeline.images.options import COMPRESSED, THUMBNAIL
from pipeline.job import OutputWanted
from pipeline.messages import Message, Uploads
from pipeline.queues import REDRIVEN, Queue, retry_delay
from pipeline.services import connect
from pipeline.settings import Settings

#: A message is not begun with less time left than the slowest image may take, with a margin for S3.
LEAST_TIME_MS = 25_000

logger = Logger(service="image-pipeline")
metrics = Metrics(namespace="ImagePipeline", service="image-pipeline")
settings = Settings.from_environment(os.environ)
services = connect(settings, make_client(None, "s3"), make_client(None, "dynamodb"))
queue = Queue(make_client(None, "sqs"), settings.queue_url)
uploads = Uploads(
    settings.uploads_bucket,
    (
        OutputWanted("thumbnail", THUMBNAIL, settings.outputs_bucket, "thumbnails"),
        OutputWanted("compressed", COMPRESSED, settings.outputs_bucket, "compressed"),
    ),
)
# Powertools starts all messages of a batch at once; the pool is what keeps them to one per core.
workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
standard = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
fifo = SqsFifoPartialProcessor()
fifo.raise_on_entire_batch_failure = False


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    records = event.get("Records") or []
    metrics.add_metric(name="Messages", unit=MetricUnit.Count, value=len(records))
    if not records:
        # SQS never sends an empty batch; a test event from the console may.
        logger.warning("the event holds no records", extra={"fields": sorted(event)})
        return {"batchItemFailures": []}
    batch = _Batch(context)
    if records[0].get("eventSourceARN", "").endswith(".fifo"):
        answer = process_partial_response(event, batch.work, fifo, context)
        batch.put_off_the_rest(records, answer)
    else:
        answer = async_process_partial_response(event, batch.work_in_pool, standard, context)
    for outcome in batch.outcomes:
        metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=1)
    return answer


class _Batch:
    """One invocation: its deadline, and the outcomes that its threads report."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._delays: dict[str, int] = {}
        self.outcomes: list[str] = []

    async def work_in_pool(self, record: SQSRecord) -> None:
        await asyncio.get_running_loop().run_in_executor(workers, self.work, record)

    def work(self, record: SQSRecord) -> None:
        """One message; whatever it raises sends the message back to the queue."""
        deliveries = int(record.attributes.approximate_receive_count)
        message = Message(record.body, record.message_id, deliveries + (REDRIVEN in record.message_attributes))
        try:
            if self._context.get_remaining_time_in_millis() < LEAST_TIME_MS:
                raise RetryError("too little time is left to begin another message")
            consume(message, uploads, services, self._reporter(record.message_id))
        except RetryError as retry:
            self._put_off(record, retry_delay(deliveries, retry.after))
            raise
        except Exception:
            self.outcomes.append("BUG")
            logger.exception("a bug: this message will come back", extra={"message_id": record.message_id})
            self._put_off(record, retry_delay(deliveries, None))
            raise

    def put_off_the_rest(self, records: list[dict[str, Any]], answer: PartialItemFailureResponse) -> None:
        """Let what a FIFO batch did not begin come back with the message that failed.

        SQS gives out nothing of a group while any of its messages is hidden: the rest would hold the failed one back
        for the whole visibility timeout.
        """
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] in failed - self._delays.keys():
                self._put_off(SQSRecord(record), max(self._delays.values(), default=0))

    def _put_off(self, record: SQSRecord, delay: int) -> None:
        self._delays[record.message_id] = delay
        try:
            queue.put_off(record.receipt_handle, delay)
        except RetryError as error:
            # The message then comes back after the queue's own visibility timeout: later, but not lost.
            logger.warning("the delay could not be set", extra={"reason": error.reason})

    def _reporter(self, message_id: str) -> Any:
        def report(outcome: str, facts: Mapping[str, object]) -> None:
            self.outcomes.append(outcome)
            logger.info(outcome, extra={"message_id": message_id, **facts})

        return report
