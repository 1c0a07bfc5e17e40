import pytest

from pipeline.image_service.settings import ImageSettings, endpoint, region_in
from pipeline.settings import SettingsError

BUCKET = {"IMAGES_BUCKET": "images-ch"}
QUEUE = "https://sqs.us-east-2.amazonaws.com/123456789012/ImageQueue.fifo"


def read(queue_url=QUEUE, **environ):
    return ImageSettings.from_environment({**BUCKET, **environ}, queue_url=queue_url)


def test_nothing_but_the_bucket_has_to_be_said():
    settings = read()

    assert settings.images_url == "https://s3.us-east-2.amazonaws.com/images-ch"
    assert settings.images.prefix == "images-resized"
    assert [(name, options.fit, options.format) for name, options in settings.images.sizes] == [
        ("50x50", (50, 50), None),
        ("250X250", (250, 250), None),
        ("800x800", (800, 800), None),
    ]
    assert (settings.redirect_queues, settings.refresh_after) == ((), 100_000)


def test_sizes_format_and_quality_can_be_chosen():
    settings = read(IMAGES_SIZES="64x48, 1200X630", IMAGES_FORMAT="webp", IMAGES_QUALITY="70", IMAGES_FIT="cover")

    assert [(name, o.fit, o.format, o.quality) for name, o in settings.images.sizes] == [
        ("64x48", (64, 48), "WEBP", 70),
        ("1200X630", (1200, 630), "WEBP", 70),
    ]
    assert all(options.cover for _, options in settings.images.sizes)


def test_on_the_local_cloud_results_may_go_to_every_queue_and_elsewhere_to_those_that_are_named():
    assert read(AWS_ENDPOINT_URL="http://127.0.0.1:4566").redirect_queues == ("*",)
    assert read("http://127.0.0.1:4566/000000000000/ImageQueue.fifo").redirect_queues == ("*",)
    assert read(REDIRECT_QUEUES="ChannelImages, Episode*").redirect_queues == ("ChannelImages", "Episode*")


@pytest.mark.parametrize("name", ["CALLS_TO_UPDATE_LIST_SQS_QUEUES", "NUMBER_CALLS_TO_UPDATE_SQS_QUEUE_LIST"])
def test_how_often_queues_are_looked_up_has_the_documented_name_and_the_one_that_the_older_program_read(name):
    assert read(**{name: "7"}).refresh_after == 7


def test_another_address_of_the_images_can_be_given():
    assert read(IMAGES_URL="https://images.example/").images_url == "https://images.example"
    assert read(AWS_REGION="eu-west-1").images_url == "https://s3.eu-west-1.amazonaws.com/images-ch"


def test_a_queue_on_this_machine_says_where_s3_is():
    queue = "http://127.0.0.1:4566/000000000000/ImageQueue.fifo"

    assert endpoint({}, queue) == "http://127.0.0.1:4566"
    assert read(queue).images_url == "http://127.0.0.1:4566/images-ch"
    assert endpoint({}, QUEUE) is None


@pytest.mark.parametrize(
    ("queue_url", "region"),
    [
        (QUEUE, "us-east-2"),
        ("https://us-gov-west-1.queue.amazonaws.com/1/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("http://127.0.0.1:4566/000000000000/q", None),
        ("", None),
    ],
)
def test_the_region_is_in_the_address_of_the_queue(queue_url, region):
    assert region_in(queue_url) == region


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMAGES_BUCKET", " "),
        ("IMAGES_PREFIX", "../up"),
        ("IMAGES_PREFIX", "deliveries"),
        ("IMAGES_PREFIX", "redirected/x"),
        ("IMAGES_PREFIX", "/a"),
        ("IMAGES_SIZES", "big"),
        ("IMAGES_SIZES", "50x50,50x50"),
        ("IMAGES_SIZES", "0x0"),
        ("IMAGES_FIT", "stretch"),
        ("IMAGES_FORMAT", "EPS"),
        ("IMAGES_QUALITY", "101"),
        ("REDIRECT_QUEUES", "a/b"),
        ("CALLS_TO_UPDATE_LIST_SQS_QUEUES", "often"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})
