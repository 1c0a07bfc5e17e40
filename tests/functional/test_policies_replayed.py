"""Every call of the functions, held against their policies: nothing is missing there, and nothing is too much."""

import json
from itertools import takewhile

import pytest

from cli import names
from pipeline.consume import consume
from pipeline.errors import RetryError
from pipeline.gallery.listing import ImageList
from pipeline.gallery.wanted import ALL, Order, Wanted
from pipeline.images.options import COMPRESSED, THUMBNAIL
from pipeline.job import Outcome, OutputWanted
from pipeline.messages import Message, Uploads
from pipeline.queues import Queue
from pipeline.services import connect
from pipeline.table.counting import Change
from pipeline.table.stats import Stats
from setup_scripts import configure_lambda
from setup_scripts.configure_lambda import settings
from setup_scripts.functions import COUNTING, GALLERY, PROCESSING
from setup_scripts.steps import STEPS
from tests.functional.aws_account import ACCOUNT, REGION, aws_account, context
from tests.functional.rights import RIGHTS, Account, missing, superfluous
from tests.images import jpeg, photo, truncated

#: What Lambda does in the functions' names: no line of ours calls it, and without the right nothing runs.
AWS_ITSELF = {
    PROCESSING: {
        ("sqs:ReceiveMessage", "queue"): "the trigger reads the queue",
        ("sqs:DeleteMessage", "queue"): "the trigger deletes what was done",
        ("sqs:GetQueueAttributes", "queue"): "the trigger scales with the queue's length",
        ("logs:CreateLogStream", "log"): "each instance opens its log",
        ("logs:PutLogEvents", "log"): "what a function prints",
    },
    GALLERY: {
        ("logs:CreateLogStream", "log"): "each instance opens its log",
        ("logs:PutLogEvents", "log"): "what a function prints",
    },
    COUNTING: {
        ("dynamodb:DescribeStream", "stream"): "the trigger looks for the stream's shards",
        ("dynamodb:GetShardIterator", "stream"): "the trigger finds its place",
        ("dynamodb:GetRecords", "stream"): "the trigger reads changes",
        ("dynamodb:ListStreams", "stream"): "Lambda asks for it when the trigger is made",
        ("logs:CreateLogStream", "log"): "each instance opens its log",
        ("logs:PutLogEvents", "log"): "what a function prints",
    },
}
FUNCTIONS = tuple(AWS_ITSELF)


class Tap:
    """Clients whose every call is noted as the rights that it needs."""

    def __init__(self, session):
        self._session = session
        self.rights = set()

    def client(self, service):
        client = self._session.client(service)
        client.meta.events.register("provide-client-params.*.*", self._note)
        return client

    def _note(self, params, model, **_):
        self.rights |= set(RIGHTS[model.name](params, Account(REGION, ACCOUNT)))


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, aws_account(patch.delenv):
        made = context(tmp_path_factory.mktemp("home"), {})
        # Without the functions: moto would try to run them.
        for step in takewhile(lambda step: step.create is not configure_lambda.create, STEPS):
            step.create(made)
        yield made


@pytest.fixture(scope="module")
def needed(ready):
    """What each function needs on its way through everything that may happen to it."""
    calls = {function: Tap(ready.aws.target.session) for function in FUNCTIONS}
    process_everything(ready, calls[PROCESSING])
    look_at_everything(ready, calls[GALLERY])
    count_everything(ready, calls[COUNTING])
    return {function: tap.rights | by_aws_itself(ready, function) for function, tap in calls.items()}


def process_everything(ready, tap):
    told, outputs = settings(ready), ready.resources["thumbnails-bucket"]
    services = connect(told, tap.client("s3"), tap.client("dynamodb"))
    wanted = (
        OutputWanted("thumbnail", THUMBNAIL, outputs, "thumbnails"),
        OutputWanted("compressed", COMPRESSED, outputs, "compressed"),
    )
    uploads, outcomes = Uploads(told.uploads_bucket, wanted), []

    def work(key, *, deliveries=1, **message):
        body = json.dumps({"bucket_name": told.uploads_bucket, "image_key": key, **message})
        consume(Message(body, "id", deliveries), uploads, services, lambda outcome, facts: outcomes.append(outcome))

    def upload(key, data):
        ready.aws.s3.put_object(Bucket=told.uploads_bucket, Key=key, Body=data)

    upload("a.jpg", jpeg(photo((300, 200))))
    work("a.jpg")
    work("a.jpg", deliveries=2)
    work("a.jpg", force=True)
    upload("a.jpg", jpeg(photo((200, 300))))
    work("a.jpg")
    upload("cut.jpg", truncated(jpeg(photo((300, 200)))))
    work("cut.jpg")
    ready.aws.s3.delete_object(Bucket=told.uploads_bucket, Key="a.jpg")
    work("a.jpg")
    assert outcomes == ["DONE", "SKIPPED", "DONE", "DONE", "FAILED", "REMOVED"]
    with pytest.raises(RetryError):
        Queue(tap.client("sqs"), told.queue_url).put_off("no-receipt-handle", 5)


def look_at_everything(ready, tap):
    dynamodb, told = tap.client("dynamodb"), settings(ready)
    images = ImageList(dynamodb, told.table_name)
    for wanted in (ALL, Wanted(order=Order.NAME), Wanted(outcome=Outcome.FAILED)):
        images.page(10, None, wanted)
    images.image("cut.jpg")
    Stats(dynamodb, told.stats_table_name).read()


def count_everything(ready, tap):
    stats = Stats(tap.client("dynamodb"), settings(ready).stats_table_name)
    assert stats.count([Change("1", None, {"ImageID": "a", "Outcome": "FAILED", "ProcessedAt": "2026-01-01T"})]) == 1


def by_aws_itself(ready, function):
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{ready.resources['dynamodb-table']}"
    group = names.log_group(function.base_name)
    places = {
        "queue": ready.resources["messages-queue-arn"],
        "stream": f"{table}/stream/2026-01-01T00:00:00.000",
        "log": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:x",
    }
    return {(action, places[place]) for action, place in AWS_ITSELF[function]}


def policy_of(ready, function):
    role = names.role(function.base_name, REGION)
    return ready.aws.iam.get_role_policy(RoleName=role, PolicyName="image-pipeline")["PolicyDocument"]


@pytest.fixture(params=FUNCTIONS, ids=lambda function: function.base_name)
def function(request):
    return request.param


def test_a_function_may_do_what_it_does_and_nothing_else(ready, needed, function):
    policy = policy_of(ready, function)

    assert missing(policy, needed[function]) == set()
    assert superfluous(policy, needed[function]) == set()


def test_no_statement_could_go(ready, needed, function):
    statements = policy_of(ready, function)["Statement"]

    for gone in statements:
        assert missing({"Statement": [one for one in statements if one != gone]}, needed[function]), gone["Sid"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [("s3:GetObject", "arn:aws:s3:::others/*"), ("dynamodb:Scan", "*"), ("s3:PutObjectAcl", "*")],
)
def test_a_statement_more_would_be_seen(ready, needed, function, action, resource):
    statements = [*policy_of(ready, function)["Statement"], {"Action": [action], "Resource": [resource]}]

    assert superfluous({"Statement": statements}, needed[function]) == {(action, resource)}
