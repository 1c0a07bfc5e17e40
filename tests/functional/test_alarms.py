"""The dashboard and the alarms: there by default, gone when asked for, and what a person adds to them stays."""

import json
import re

import pytest

from setup_scripts import create_alarms
from setup_scripts.create_image_service import WANTED as IMAGE_SERVICE
from setup_scripts.dashboard import OUTCOMES
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import ACCOUNT, REGION, changes, context

pytestmark = pytest.mark.usefixtures("account")

FUNCTIONS = ("ImageProcessingFunction", "ImageGalleryFunction", "ImageStatsFunction")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:somebody"


@pytest.fixture
def shelf(tmp_path):
    """The state of a deployment of which the queue is there: alarms need no more than names."""
    return {f"{ACCOUNT}/{REGION}/default/messages-queue": "https://sqs/123456789012/image-processing-queue-1"}


@pytest.fixture
def ready(tmp_path, shelf):
    made = context(tmp_path, shelf)
    create_alarms.create(made)
    return made


def found(made):
    return {alarm["AlarmName"]: alarm for alarm in made.aws.cloudwatch.describe_alarms()["MetricAlarms"]}


def body(made):
    (entry,) = made.aws.cloudwatch.list_dashboards()["DashboardEntries"]
    return json.loads(made.aws.cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])


def test_dead_letters_old_messages_errors_and_throttles_raise_an_alarm(ready):
    watched = {(alarm["MetricName"], alarm["Dimensions"][0]["Value"]) for alarm in found(ready).values()}

    assert watched == {
        ("ApproximateNumberOfMessagesVisible", "image-processing-queue-1-dlq"),
        ("ApproximateAgeOfOldestMessage", "image-processing-queue-1"),
        *(("Errors", function) for function in FUNCTIONS),
        *(("Throttles", function) for function in FUNCTIONS),
    }


def test_the_image_service_is_watched_like_the_pipeline_and_shown_beside_it(ready, tmp_path, shelf):
    before = set(found(ready))
    made = context(tmp_path, shelf)
    url = "https://sqs/123456789012/ImageQueue"
    own = {IMAGE_SERVICE: "wanted", "image-queue": f"{url}.fifo", "image-dead-letter-queue": f"{url}-dlq.fifo"}
    made.resources.update(own)

    create_alarms.create(made)

    watched = {name: alarm["Dimensions"][0]["Value"] for name, alarm in found(made).items() if name not in before}
    assert watched == {
        "image-pipeline-image-service-dead-letters": "ImageQueue-dlq.fifo",
        "image-pipeline-image-service-oldest-message": "ImageQueue.fifo",
        "image-pipeline-errors-ImageServiceFunction": "ImageServiceFunction",
        "image-pipeline-throttles-ImageServiceFunction": "ImageServiceFunction",
    }
    assert set(watched.values()) <= set(re.findall(r"[\w.-]+", json.dumps(body(made))))
    create_alarms.delete(made)
    assert found(made) == {}


def test_a_pipeline_that_rests_raises_no_alarm(ready):
    assert {alarm["TreatMissingData"] for alarm in found(ready).values()} == {"notBreaching"}


def test_alarms_and_dashboard_of_an_account_without_others_are_free(ready):
    assert len(found(ready)) <= 10
    assert len(ready.aws.cloudwatch.list_dashboards()["DashboardEntries"]) <= 3


def test_every_alarm_carries_the_tag_of_its_deployment(ready):
    pages = ready.aws.tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": "image-pipeline"}])

    tagged = {entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]}
    assert {alarm["AlarmArn"] for alarm in found(ready).values()} <= tagged


def test_the_dashboard_shows_every_outcome_and_every_alarm(ready):
    widgets = body(ready)["widgets"]

    shown = {metric[1] for metric in widgets[1]["properties"]["metrics"]}
    assert shown == set(OUTCOMES)
    assert set(widgets[0]["properties"]["alarms"]) == {alarm["AlarmArn"] for alarm in found(ready).values()}


def test_the_widgets_lie_beside_each_other_and_not_upon(ready):
    widgets = body(ready)["widgets"]

    places = [
        (column, row)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(places) == len(set(places))
    assert max(column for column, _ in places) == 23


def test_a_topic_that_a_person_added_stays_when_the_alarm_is_put_right(ready, tmp_path, shelf):
    name = "image-pipeline-dead-letters"
    alarm = {key: value for key, value in found(ready)[name].items() if key in wanted_keys(ready)}
    ready.aws.cloudwatch.put_metric_alarm(**{**alarm, "Threshold": 99, "AlarmActions": [TOPIC]})

    create_alarms.create(again := context(tmp_path, shelf))

    assert changes(again) == ["PutMetricAlarm"]
    assert (found(ready)[name]["Threshold"], found(ready)[name]["AlarmActions"]) == (1, [TOPIC])


def wanted_keys(made):
    return create_alarms._wanted(made)[0].keys()


def test_a_second_time_nothing_changes(ready, tmp_path, shelf):
    create_alarms.create(again := context(tmp_path, shelf))

    assert changes(again) == []


def test_switched_off_they_go_and_are_not_made_again(ready, tmp_path, shelf):
    shelf[f"{ACCOUNT}/{REGION}/default/alarms"] = "off"

    for _ in range(2):
        create_alarms.create(context(tmp_path, shelf))

    assert found(ready) == {}
    assert ready.aws.cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_two_deployments_have_alarms_of_their_own_and_teardown_takes_its_own(tmp_path):
    shelf: dict[str, str] = {}
    set_up(blue := context(tmp_path, shelf, name="blue"))
    set_up(plain := context(tmp_path, shelf))

    tear_down(plain)

    assert {name.startswith("image-pipeline-blue-") for name in found(blue)} == {True}
    assert body(blue)["widgets"][1]["properties"]["metrics"][0][3] == "ImageProcessingFunction-blue"
