"""URL messages from the body to the reply."""

import io
import json
import re
from collections import Counter

import pytest
from PIL import Image

from pipeline.errors import Code, RejectError, RetryError
from pipeline.image_service.answering import answer
from pipeline.image_service.messages import MOST_NESTED, decode_urls
from pipeline.watch import silent
from tests.functional.url_service_in_memory import IMAGES, message, url_service
from tests.images import jpeg, photo, png

A, B = "http://i1.example/avatar.jpg", "http://itunes.example/cover.png"
POSTBACK = "http://my-postback-url.example/postback"
JPEG, PNG = jpeg(photo((1000, 600)), quality=90), png(photo((300, 300)))
MESSAGE = {"image_url": A, "bucket_name": "TEST", "postback_url": POSTBACK, "_id": "5f1", "extra": {"deep": [1, None]}}
NAME = re.compile(
    r"https://s3\.us-east-2\.amazonaws\.com/images-ch/images-resized/TEST/([0-9a-f]{32})_(50x50|250X250|800x800)\.jpeg"
)


@pytest.fixture
def service(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with url_service() as service:
        service.web.pages |= {A: JPEG, B: PNG}
        yield service


def run(service, body, *, watch=silent, **options):
    [job] = decode_urls(message(body, **options), IMAGES)
    return answer(job, service.services, watch)


def test_the_postback_is_the_printed_one(service):
    run(service, MESSAGE)

    [(address, body, message_id)] = service.receiver.told
    info = body.pop("image_url_info")
    assert (address, body) == (POSTBACK, MESSAGE) and message_id.startswith("msg_")
    assert list(info) == ["50x50", "250X250", "800x800"]
    assert {one["bucket_path"] for one in info.values()} == {"images-resized/TEST/"}
    parts = [NAME.fullmatch(one["url"]) for one in info.values()]
    assert [part[2] for part in parts] == list(info) and len({part[1] for part in parts}) == 1


def test_the_images_fit_into_their_sizes_and_are_never_enlarged(service):
    run(service, {**MESSAGE, "image_url": A, "itunes_image": B})

    sizes = {}
    for key in service.keys():
        with Image.open(io.BytesIO(service.object(key))) as image:
            sizes[key.rpartition("_")[2]] = (image.format, image.size)
    assert sizes == {
        "50x50.jpeg": ("JPEG", (50, 30)),
        "250X250.jpeg": ("JPEG", (250, 150)),
        "800x800.jpeg": ("JPEG", (800, 480)),
        "50x50.png": ("PNG", (50, 50)),
        "250X250.png": ("PNG", (250, 250)),
        "800x800.png": ("PNG", (300, 300)),
    }


def test_two_fields_with_one_url_are_fetched_once_and_both_answered(service):
    run(service, {**MESSAGE, "itunes_image": A})

    [(_, body, _)] = service.receiver.told
    assert service.web.asked == [A]
    assert body["image_url_info"] == body["itunes_image_info"] and len(service.keys()) == 3


def test_one_bad_image_of_two_still_delivers_the_other(service):
    service.web.pages[B] = b"<html>no image</html>"

    run(service, {**MESSAGE, "itunes_image": B})

    [(_, body, _)] = service.receiver.told
    assert set(body["image_url_info"]) == {"50x50", "250X250", "800x800"}
    assert body["itunes_image_info"] is None
    [error] = body["errors"]
    assert (error["field"], error["code"]) == ("itunes_image", "INVALID_EXTENSION")


def test_a_reply_says_the_code_of_an_error_but_nothing_of_our_network(service):
    service.web.pages[A] = RejectError(Code.URL_REFUSED, "10.1.2.3 is database.internal")

    run(service, MESSAGE)

    [(_, body, _)] = service.receiver.told
    assert body["errors"][0]["code"] == "URL_REFUSED" and "10.1.2.3" not in json.dumps(body)


def test_an_image_that_may_come_later_sends_the_message_back_and_tells_nobody(service):
    service.web.pages[B] = RetryError("the server answered 503", after=30)

    with pytest.raises(RetryError) as retry:
        run(service, {**MESSAGE, "itunes_image": B})

    assert retry.value.after == 30 and service.receiver.told == []


def test_a_repeated_message_writes_the_same_bytes_under_the_same_keys_and_answers_the_same(service):
    run(service, MESSAGE)
    first = {key: service.object(key) for key in service.keys()}

    run(service, MESSAGE, deliveries=2)
    run(service, MESSAGE, message_id="another")

    assert {key: service.object(key) for key in service.keys()} == first
    bodies = [body for _, body, _ in service.receiver.told]
    ids = [message_id for _, _, message_id in service.receiver.told]
    assert bodies[0] == bodies[1] == bodies[2] and ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("name", ["Test Bucket", "ü#?%"])
def test_a_bucket_name_is_encoded_in_the_url_and_plain_in_the_path(service, name):
    run(service, {**MESSAGE, "bucket_name": name})

    [(_, body, _)] = service.receiver.told
    info = body["image_url_info"]["50x50"]
    encoded = {"Test Bucket": "Test%20Bucket", "ü#?%": "%C3%BC%23%3F%25"}[name]
    assert f"/images-resized/{encoded}/" in info["url"] and info["bucket_path"] == f"images-resized/{name}/"
    assert body["bucket_name"] == name


def test_the_redirected_message_holds_what_the_postback_holds(service):
    queue = service.queue("ChannelImages")

    answered = run(service, {**MESSAGE, "redirect_queue": "ChannelImages"})

    [(_, body, message_id)] = service.receiver.told
    [redirected] = service.received(queue)
    assert json.loads(redirected["Body"]) == body
    assert redirected["MessageAttributes"]["ReplyId"]["StringValue"] == message_id
    assert answered.told == {"redirect": "sent", "postback": "sent"}


def test_a_queue_that_does_not_exist_is_not_redirected_to_and_harms_nothing(service):
    answered = run(service, {**MESSAGE, "redirect_queue": "Nowhere"})

    assert answered.told == {"redirect": "no such queue", "postback": "sent"}


def test_a_failed_postback_is_the_only_thing_that_a_retry_repeats(service):
    queue, body = service.queue("ChannelImages"), {**MESSAGE, "redirect_queue": "ChannelImages"}
    service.receiver.answers.append(RetryError("the receiver answered 503", after=120))

    with pytest.raises(RetryError) as retry:
        run(service, body)
    assert retry.value.after == 120
    answered = run(service, body, deliveries=2)

    assert answered.told == {"redirect": "sent", "postback": "sent"}
    assert len(service.received(queue)) == 1 and len(service.receiver.told) == 1 and service.web.asked == [A]
    assert not {key for key in service.keys() if key.startswith("deliveries/")}


def test_what_json_nests_deeply_is_kept_for_the_next_try_too(service):
    queue = service.queue("ChannelImages")
    nested = MOST_NESTED - 1
    body = {**MESSAGE, "redirect_queue": "ChannelImages", "extra": json.loads("[" * nested + "]" * nested)}
    service.receiver.answers.append(RetryError("the receiver answered 503"))

    with pytest.raises(RetryError):
        run(service, body)
    run(service, body, deliveries=2)

    assert len(service.received(queue)) == 1 and service.web.asked == [A]


def test_a_reply_that_is_finished_later_still_counts_what_failed_in_it(service):
    del service.web.pages[A]
    service.receiver.answers.append(RetryError("the receiver answered 503"))

    with pytest.raises(RetryError):
        run(service, MESSAGE)
    answered = run(service, MESSAGE, deliveries=2)

    assert {field: error.code for field, error in answered.errors.items()} == {"image_url": Code.FETCH_FAILED}


def test_a_failed_redirection_is_the_only_thing_that_a_retry_repeats(service):
    queue, body = service.queue("ChannelImages"), {**MESSAGE, "redirect_queue": "ChannelImages"}
    paginator = service.sqs.get_paginator

    def refuse(name):
        raise RetryError("ListQueues: RequestThrottled")

    service.sqs.get_paginator = refuse
    with pytest.raises(RetryError):
        run(service, body)
    service.sqs.get_paginator = paginator
    run(service, body, deliveries=2)

    assert len(service.received(queue)) == 1 and len(service.receiver.told) == 1


def test_a_receiver_that_is_gone_is_not_told_again_and_holds_nothing_up(service):
    queue, body = service.queue("ChannelImages"), {**MESSAGE, "redirect_queue": "ChannelImages"}
    service.receiver.answers.append(RejectError(Code.POSTBACK_GONE))

    answered = run(service, body)

    assert answered.told == {"redirect": "sent", "postback": "POSTBACK_GONE"}
    assert service.receiver.told == [] and len(service.received(queue)) == 1


def test_under_a_borrowed_message_id_nobody_reads_the_reply_of_another(service):
    service.receiver.answers.append(RetryError("the receiver answered 503"))
    with pytest.raises(RetryError):
        run(service, {**MESSAGE, "secret": "theirs"}, message_id="theirs")

    run(service, {**MESSAGE, "postback_url": "http://evil.example"}, message_id="theirs", deliveries=2)

    [(_, body, _)] = service.receiver.told
    assert "secret" not in body


class Death(BaseException):
    """The worker's process ends."""


@pytest.mark.parametrize("step", range(6))
def test_a_worker_that_dies_after_any_step_is_made_good_by_the_next_delivery(service, step):
    queue, body, steps = service.queue("ChannelImages"), {**MESSAGE, "redirect_queue": "ChannelImages"}, []

    def die(name, facts):
        steps.append(name)
        if len(steps) == step + 1:
            raise Death

    with pytest.raises(Death):
        run(service, body, watch=die)
    after_death = {key: service.object(key) for key in service.keys() if not key.startswith("deliveries/")}
    answered = run(service, body, deliveries=2)

    assert answered.told == {"redirect": "sent", "postback": "sent"}
    assert (
        len(service.keys()) == 3 and after_death.items() <= {key: service.object(key) for key in service.keys()}.items()
    )
    # Told at least once; who died after telling tells again, the same under the same id.
    told, redirected = service.receiver.told, service.received(queue)
    assert len(told) == len(redirected) == (2 if step == 5 else 1)
    assert len({message_id for _, _, message_id in told}) == 1 and all(body == told[0][1] for _, body, _ in told)
    assert {one["MessageAttributes"]["ReplyId"]["StringValue"] for one in redirected} == {told[0][2]}


def test_who_dies_between_two_receivers_leaves_what_the_next_tells_both(service):
    queue, body = service.queue("ChannelImages"), {**MESSAGE, "redirect_queue": "ChannelImages"}
    service.receiver.answers.append(Death())
    with pytest.raises(Death):
        run(service, body)
    del service.web.pages[A]

    answered = run(service, body, deliveries=2)

    [(_, posted, message_id)] = service.receiver.told
    redirected = service.received(queue)
    assert posted["image_url_info"] and answered.errors == {}
    assert [json.loads(one["Body"]) for one in redirected] == [posted, posted]
    assert {one["MessageAttributes"]["ReplyId"]["StringValue"] for one in redirected} == {message_id}


@pytest.mark.parametrize(
    ("told", "calls"),
    [
        ({}, {"PutObject": 3}),
        ({"postback_url": None, "redirect_queue": "Mine"}, {"PutObject": 3, "ListQueues": 1, "SendMessage": 1}),
        ({"redirect_queue": "Mine"}, {"PutObject": 4, "ListQueues": 1, "SendMessage": 1, "DeleteObject": 1}),
    ],
)
def test_a_reply_to_two_costs_two_calls_more_and_one_to_one_alone_none(service, told, calls):
    service.queue("Mine")
    made = Counter[str]()
    for client in (service.s3, service.sqs):
        client.meta.events.register("before-call", lambda model, **_: made.update([model.name]))

    run(service, {**MESSAGE, **told})

    assert made == calls


def test_every_step_is_told_in_its_order(service):
    steps = []

    run(service, MESSAGE, watch=lambda step, facts: steps.append(step))

    assert steps == ["fetch", "transform", "put", "put", "put", "notify"]
