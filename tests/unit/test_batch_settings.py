import pytest

from pipeline.batch.settings import BatchSettings, Layout, own_batch
from pipeline.settings import SettingsError

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "IN_BUCKET": "lists",
    "JSON_LOCATION": "2026/may.json",
    "OUT_BUCKET": "compressed",
    "OUT_KEY": "/photos/",
}


def test_the_variables_of_the_older_system_are_understood():
    settings = BatchSettings.from_environment(ENVIRONMENT | {"DIVIDE_CAMERA_WISE": "True", "OUT_LAYOUT": "basename"})

    assert settings == BatchSettings(
        region="eu-central-1",
        in_bucket="lists",
        json_location="2026/may.json",
        out_bucket="compressed",
        out_key="photos",
        divide_camera_wise=True,
        layout=Layout.BASENAME,
    )


@pytest.mark.parametrize("out_key", ["photos", "/"])
def test_settings_come_back_from_the_variables_that_are_made_of_them(out_key):
    optional = {"BATCH_INDEXES": "may.json.jobs/x", "BATCH_LIST_ETAG": "0123-4"}
    settings = BatchSettings.from_environment(ENVIRONMENT | {"OUT_KEY": out_key} | optional)

    assert optional.items() <= settings.to_environment().items()
    assert BatchSettings.from_environment(settings.to_environment()) == settings


def test_all_missing_variables_are_named_in_one_line():
    with pytest.raises(SettingsError) as error:
        BatchSettings.from_environment({"AWS_REGION": "us-east-1", "IN_BUCKET": " "})

    assert str(error.value) == "IN_BUCKET, JSON_LOCATION, OUT_BUCKET, OUT_KEY are not set: see --help"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "Frankfurt"),
        ("IN_BUCKET", "s3://lists"),
        ("OUT_BUCKET", "a/b"),
        ("JSON_LOCATION", "s3://lists/may.json"),
        ("JSON_LOCATION", "/may.json"),
        ("DIVIDE_CAMERA_WISE", "maybe"),
        ("OUT_LAYOUT", "flat"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(name, value):
    with pytest.raises(SettingsError, match=f"^{name}='{value}'"):
        BatchSettings.from_environment(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(
    ("environ", "number"),
    [
        ({"BATCH_JOB_KEY": "batch_3"}, 3),
        ({"BATCH_JOB_KEY": "3"}, 3),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "0"}, 1),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "7"}, 8),
        ({"BATCH_JOB_KEY": "8", "AWS_BATCH_JOB_ARRAY_INDEX": "7"}, 8),
    ],
)
def test_a_job_knows_its_batch(environ, number):
    assert own_batch(environ) == number


def test_a_child_of_a_retry_finds_its_batch_in_the_list():
    assert own_batch({"AWS_BATCH_JOB_ARRAY_INDEX": "1"}, [2, 9]) == 9


@pytest.mark.parametrize(
    ("environ", "indexes", "text"),
    [
        ({}, None, "BATCH_JOB_KEY is not set"),
        ({"BATCH_JOB_KEY": "batch_0"}, None, "BATCH_JOB_KEY='batch_0' is no batch"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "x"}, None, "no whole number"),
        ({"BATCH_JOB_KEY": "3", "AWS_BATCH_JOB_ARRAY_INDEX": "3"}, None, "disagree"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "2"}, [2, 9], "only 2 batches"),
    ],
)
def test_a_job_that_cannot_know_its_batch_says_why(environ, indexes, text):
    with pytest.raises(SettingsError, match=text):
        own_batch(environ, indexes)
