"""What AWS lets through, part by part: the number, where AWS says so, and what moves it. docs/scaling.md tells more."""

from __future__ import annotations

from dataclasses import dataclass

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"


@dataclass(frozen=True)
class Limit:
    """One number of AWS's: in words, its value, and the page that says so."""

    what: str
    value: float
    source: str


ACCOUNT_CONCURRENCY = Limit("functions running at once in an account", 1_000, _LAMBDA + "gettingstarted-limits.html")
ENVIRONMENTS = Limit("new environments of a function in 10 s", 1_000, _LAMBDA + "scaling-behavior.html")
REQUESTS = Limit("requests a second for each environment", 10, _LAMBDA + "scaling-behavior.html")
FIRST_BATCHES = Limit("batches at once when a queue becomes busy", 5, _LAMBDA + "services-sqs-scaling.html")
MORE_BATCHES = Limit("more batches at once each minute", 300, _LAMBDA + "services-sqs-scaling.html")
MOST_CONCURRENCY = Limit("highest MaximumConcurrency of a trigger", 1_000, _LAMBDA + "services-sqs-scaling.html")
ONE_VCPU = Limit("MB of memory that bring one vCPU", 1_769, _LAMBDA + "configuration-memory.html")
IN_FLIGHT = Limit("messages in flight, standard queue", 120_000, _SQS + "quotas-queues.html")
IN_FLIGHT_FIFO = Limit("messages in flight, FIFO queue, at first", 20_000, _SQS + "quotas-fifo.html")
RETENTION = Limit(
    "seconds for which a queue keeps a message unless told otherwise", 345_600, _SQS + "quotas-messages.html"
)
S3_WRITES = Limit("S3 writes a second for each partitioned prefix", 3_500, _S3 + "optimizing-performance.html")
S3_READS = Limit("S3 reads a second for each partitioned prefix", 5_500, _S3 + "optimizing-performance.html")
PARTITION_WRITES = Limit(
    "DynamoDB write units a second for each partition", 1_000, _DYNAMODB + "bp-partition-key-design.html"
)
PARTITION_READS = Limit(
    "DynamoDB read units a second for each partition", 3_000, _DYNAMODB + "bp-partition-key-design.html"
)
NEW_TABLE_WRITES = Limit(
    "write units a second of a new table on demand", 4_000, _DYNAMODB + "on-demand-capacity-mode.html"
)
TABLE_WRITES = Limit("write units a second of any table, at first", 40_000, _DYNAMODB + "ServiceQuotas.html")

LIMITS = tuple(value for value in list(globals().values()) if isinstance(value, Limit))
