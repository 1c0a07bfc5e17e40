"""Every call of the image service's function, held against its policy: nothing is missing, and nothing is too much."""

import json
from dataclasses import replace

import pytest

from cli import names
from pipeline.errors import RetryError
from pipeline.image_service.answering import answer
from pipeline.image_service.messages import decode_urls
from pipeline.image_service.redirects import MAX_BYTES
from pipeline.image_service.services import connect_urls
from pipeline.image_service.settings import ImageSettings
from pipeline.images.transform import transform
from pipeline.parameters import parameter_reader
from pipeline.queues import Queue
from pipeline.watch import silent
from pipeline.web.settings import OutboundSettings
from pipeline.web.signing import new_secret
from setup_scripts import create_image_service
from setup_scripts.functions import IMAGE_SERVICE
from tests.functional.aws_account import ACCOUNT, REGION, aws_account, context
from tests.functional.rights import RIGHTS, Account, missing, superfluous
from tests.functional.url_service_in_memory import Receiver, Web, message
from tests.images import jpeg, photo

SECRET_NAME = "/image-service/signing"
URL = "https://images.example/a.jpg"


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
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, aws_account(patch.delenv):
        patch.setenv("REDIRECT_QUEUES", "Next*")
        patch.setenv("POSTBACK_SIGNING_SECRETS", f"ssm:{SECRET_NAME}")
        made = context(tmp_path_factory.mktemp("home"), {})
        made.resources[create_image_service.WANTED] = "wanted"
        create_image_service.create(made)
        yield made


@pytest.fixture(scope="module")
def needed(made):
    """What the function needs on its way through everything that may happen to a message."""
    session = made.aws.target.session
    session.client("ssm").put_parameter(Name=SECRET_NAME, Value=new_secret(), Type="SecureString")
    made.aws.sqs.create_queue(QueueName="NextImages")
    tap = Tap(session)
    answer_everything(made, tap)
    arn, group = made.resources["image-queue-arn"], names.log_group(IMAGE_SERVICE.base_name)
    by_lambda = {(f"sqs:{call}", arn) for call in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:x"
    return tap.rights | by_lambda | {("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)}


def answer_everything(made, tap):
    environ = made.aws.functions.get_function_configuration(FunctionName="ImageServiceFunction")["Environment"]
    told = {**environ["Variables"], "AWS_REGION": REGION}
    settings = ImageSettings.from_environment(told)
    outbound = OutboundSettings.from_environment(told, parameter_reader(lambda: tap.client("ssm")))
    queue_url = told["QUEUE_URL"]
    services = connect_urls(settings, outbound, s3=tap.client("s3"), sqs=tap.client("sqs"), queue_url=queue_url)
    web, receiver = Web({URL: jpeg(photo((300, 200)))}), Receiver()
    services = replace(services, fetch=web.fetch, postback=receiver.send, isolated=transform)

    def work(*, deliveries=1, **extra):
        body = {"image_url": URL, "redirect_queue": "NextImages", "postback_url": "https://me.example", **extra}
        [job] = decode_urls(message(body, deliveries=deliveries), settings.images)
        return answer(job, services, silent).told

    sent = {"redirect": "sent", "postback": "sent"}
    assert work() == work() == sent
    assert work(large="x" * MAX_BYTES) == sent
    receiver.answers.append(RetryError("the receiver is away"))
    with pytest.raises(RetryError):
        work(extra=1)
    assert work(extra=1, deliveries=2) == sent
    with pytest.raises(RetryError):
        Queue(tap.client("sqs"), queue_url).put_off("no-receipt-handle", 5)


def policy_of(made):
    role = names.role(IMAGE_SERVICE.base_name, REGION)
    document = made.aws.iam.get_role_policy(RoleName=role, PolicyName="image-pipeline")["PolicyDocument"]
    return json.loads(document) if isinstance(document, str) else document


def test_the_function_may_do_what_it_does_and_nothing_else(made, needed):
    assert missing(policy_of(made), needed) == set()
    assert superfluous(policy_of(made), needed) == set()


def test_no_statement_could_go(made, needed):
    statements = policy_of(made)["Statement"]

    for gone in statements:
        assert missing({"Statement": [one for one in statements if one != gone]}, needed), gone["Sid"]
