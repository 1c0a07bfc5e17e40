from dataclasses import replace

import pytest

from pipeline.images.options import Preset
from pipeline.settings import ROOT, Settings, SettingsError, home, local_port

SETTINGS = Settings(
    uploads_bucket="uploads",
    outputs_bucket="outputs",
    table_name="ImageMetadata",
    outputs_url="http://127.0.0.1:4566/outputs",
    uploads_url="http://127.0.0.1:4566/uploads",
    queue_url="http://127.0.0.1:4566/000000000000/queue",
    public_capture_facts=True,
    variant_formats=("WEBP", "AVIF"),
    variant_widths=(320, 640),
    image_preset=Preset.SMALL,
)


def test_settings_survive_the_environment():
    assert Settings.from_environment(SETTINGS.to_environment()) == SETTINGS


@pytest.mark.parametrize("name", ["UPLOADS_BUCKET", "OUTPUTS_BUCKET", "TABLE_NAME", "OUTPUTS_URL", "QUEUE_URL"])
def test_a_missing_variable_is_named_with_its_cure(name):
    environ = SETTINGS.to_environment() | {name: " "}

    with pytest.raises(SettingsError, match=f"{name} is not set.*setup.py"):
        Settings.from_environment(environ)


def test_outputs_that_would_land_among_the_uploads_are_refused():
    environ = SETTINGS.to_environment() | {"OUTPUTS_BUCKET": "uploads"}

    with pytest.raises(SettingsError, match="start the pipeline again"):
        Settings.from_environment(environ)


@pytest.mark.parametrize(("name", "value"), [("FUNCTION_TIMEOUT", "soon"), ("PUBLIC_CAPTURE_FACTS", "perhaps")])
def test_an_unusable_value_is_shown(name, value):
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        Settings.from_environment(SETTINGS.to_environment() | {name: value})


@pytest.mark.parametrize(("name", "value"), [("VARIANT_FORMATS", "jpeg"), ("VARIANT_WIDTHS", "wide")])
def test_a_list_that_makes_no_sense_is_shown_with_one_that_does(name, value):
    with pytest.raises(SettingsError, match=f"{name}: '{value}' is no list.*one looks like"):
        Settings.from_environment(SETTINGS.to_environment() | {name: value})


def test_without_variants_functions_are_told_nothing_of_them():
    environ = replace(SETTINGS, variant_formats=()).to_environment()

    assert not {"VARIANT_FORMATS", "VARIANT_WIDTHS"} & environ.keys()


def test_home_and_port_have_defaults_and_can_be_moved(tmp_path):
    assert (home({}), local_port({})) == (ROOT, 4566)
    assert home({"IMAGE_PIPELINE_HOME": str(tmp_path)}) == tmp_path
    assert local_port({"LOCAL_CLOUD_PORT": "4600"}) == 4600


def test_a_port_above_the_last_one_is_shown():
    with pytest.raises(SettingsError, match="LOCAL_CLOUD_PORT=65536"):
        local_port({"LOCAL_CLOUD_PORT": "65536"})


def test_a_preset_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(SettingsError, match="IMAGE_PRESET: 'tiny' is none of fast, balanced, small"):
        Settings.from_environment(SETTINGS.to_environment() | {"IMAGE_PRESET": "tiny"})
