"""The Lambda entry point for the queue: a batch of messages in, the ids of those that must come back out.

What is imported here is paid for at every cold start: docs/decisions/cold-start.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from lambda_function.logs import function_logger
from lambda_function.work import LEAST_TIME_MS, READ_TIMEOUT, work_of
from pipeline import freed_memory
from pipeline.clients import make_client, new_session
from pipeline.consume import Report, consume
from pipeline.errors import RetryError
from pipeline.messages import Message
from pipeline.queues import REDRIVEN, Queue, first_id, retry_delay

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

#: One entry of the event's `Records`, as Lambda passes on what SQS gave it.
_Record = dict[str, Any]

NAMESPACE = "ImagePipeline"
#: So that the metrics of two deployments are told apart.
SERVICE = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "image-pipeline"

logger = function_logger(SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
session = new_session()
work = work_of(os.environ, session)
freed_memory.keep()
workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    records = event.get("Records") or []
    metrics.add_metric(name="Messages", unit=MetricUnit.Count, value=len(records))
    if not records:
        # SQS never sends an empty batch; a test event from the console may.
        logger.warning("the event holds no records", extra={"fields": sorted(event)})
        return {"batchItemFailures": []}
    batch = _Batch(context)
    is_fifo = records[0].get("eventSourceARN", "").endswith(".fifo")
    failed = batch.in_order(records) if is_fifo else batch.side_by_side(records)
    batch.put_off(failed)
    batch.count_outcomes()
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def queue() -> Queue:
    """Made for a batch that failed in part, which is rare: a client costs some 15 ms of every cold start."""
    return Queue(make_client(session, "sqs", read_timeout=READ_TIMEOUT), work.queue_url)


class _Batch:
    """One invocation: its deadline, and what its threads report. `_bugs`: message → key of the image that met one."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._delays: dict[str, int] = {}
        self._bugs: dict[str, object] = {}
        self._outcomes: list[tuple[str, Mapping[str, object]]] = []

    def side_by_side(self, records: list[_Record]) -> list[_Record]:
        """Work all messages, as many at once as there are cores; those that must come back."""
        finished = workers.map(self._finish, records)
        return [record for record, is_done in zip(records, finished, strict=True) if not is_done]

    def in_order(self, records: list[_Record]) -> list[_Record]:
        """Work until a message must come back; that one and all after it, or they would overtake it."""
        for number, record in enumerate(records):
            if not self._finish(record):
                return records[number:]
        return []

    def put_off(self, failed: list[_Record]) -> None:
        """Let each come back when it is worth another try.

        What a FIFO batch did not begin comes with the message that failed: SQS gives out nothing of a group while any
        of its messages is hidden, so the rest would hold the failed one back for the whole visibility timeout.
        """
        if not failed:
            return
        later = queue()
        longest = max(self._delays.values())
        for record in failed:
            try:
                later.put_off(record["receiptHandle"], self._delays.get(record["messageId"], longest))
            except RetryError as error:
                # The message then comes back after the queue's own visibility timeout: later, but not lost.
                logger.warning("the delay could not be set", extra={"reason": error.reason})

    def count_outcomes(self) -> None:
        """Metrics by outcome; what has a code is counted by its code as well."""
        for outcome, facts in self._outcomes:
            metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=1)
            if "code" in facts:
                with single_metric(outcome, MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
                    metric.add_dimension("service", SERVICE)
                    metric.add_dimension("code", str(facts["code"]))

    def _finish(self, record: _Record) -> bool:
        """One message; False where it must come back."""
        message_id = record["messageId"]
        deliveries = int(record["attributes"]["ApproximateReceiveCount"])
        mark = record.get("messageAttributes", {}).get(REDRIVEN, {}).get("stringValue")
        try:
            if self._context.get_remaining_time_in_millis() < LEAST_TIME_MS:
                raise RetryError("too little time is left to begin another message")
            message = Message(record["body"], first_id(message_id, mark), deliveries + (mark is not None))
            consume(message, work.intake, work.services, self._reporter(message_id))
        except RetryError as retry:
            self._delays[message_id] = retry_delay(deliveries, retry.after)
        except Exception:
            told = {"message_id": message_id, "key": self._bugs.get(message_id)}
            logger.exception("a bug: this message will come back", extra=told)
            self._delays[message_id] = retry_delay(deliveries, None)
        return message_id not in self._delays

    def _reporter(self, message_id: str) -> Report:
        def report(outcome: str, facts: Mapping[str, object]) -> None:
            self._outcomes.append((outcome, facts))
            if outcome == "BUG":
                self._bugs[message_id] = facts.get("key")
            logger.info(outcome, extra={"message_id": message_id, "outcome": outcome, **facts})

        return report
