"""SnapStart for the gallery's API: the local cloud takes no snapshots, but has versions, aliases and addresses."""

import json
import urllib.request

import pytest

from tests.deployed import Deployment

FUNCTION = "ImageGalleryFunction-snap"
SETUP = ("setup.py", "--local", "--name", "snap")


def set_up(deployment: Deployment, *options: str) -> str:
    """The address of the API after `setup.py`."""
    done = deployment.command(*SETUP, *options, "--json")
    assert done.returncode == 0, done.stderr
    url: str = json.loads(done.stdout)["gallery-api-url"]
    return url


def images(url: str) -> object:
    with urllib.request.urlopen(f"{url}images", timeout=30) as answer:
        return json.load(answer)


def versions(functions) -> list[str]:
    return [entry["Version"] for entry in functions.list_versions_by_function(FunctionName=FUNCTION)["Versions"]]


@pytest.fixture(scope="module")
def addresses(deployment):
    """Of a deployment beside the shared one: before SnapStart, with it, and with it again."""
    yield [set_up(deployment), set_up(deployment, "--snapstart"), set_up(deployment)]
    torn_down = deployment.command("teardown.py", "--local", "--name", "snap", "--yes")
    assert torn_down.returncode == 0, torn_down.stderr


@pytest.fixture
def functions(deployment, addresses):
    return deployment.cloud.client("lambda")


def test_with_snapstart_the_api_answers_at_the_address_of_its_alias(addresses, functions):
    before, after, again = addresses
    live = functions.get_function_url_config(FunctionName=FUNCTION, Qualifier="live")

    assert before != after == again
    assert live["FunctionUrl"].split("/")[2].split(".")[0] in after
    assert images(after) == {"images": [], "cursor": None}


def test_both_rights_are_on_the_alias(functions):
    policy = json.loads(functions.get_policy(FunctionName=FUNCTION, Qualifier="live")["Policy"])

    rights = {entry["Action"] for entry in policy["Statement"] if entry["Resource"].endswith(f"{FUNCTION}:live")}
    assert rights == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


def test_the_address_without_a_snapshot_is_closed(functions):
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function_url_config(FunctionName=FUNCTION)


def test_only_the_gallery_starts_from_a_snapshot(functions):
    apply_on = {
        entry["FunctionName"]: entry["SnapStart"]["ApplyOn"]
        for entry in functions.list_functions()["Functions"]
        if entry["FunctionName"].endswith("-snap")
    }

    assert apply_on.pop(FUNCTION) == "PublishedVersions"
    assert set(apply_on.values()) == {"None"}


def test_a_change_publishes_a_version_and_deletes_the_one_before(deployment, functions):
    first = functions.get_alias(FunctionName=FUNCTION, Name="live")["FunctionVersion"]

    set_up(deployment, "--public-capture-facts")

    second = functions.get_alias(FunctionName=FUNCTION, Name="live")["FunctionVersion"]
    live = functions.get_function_configuration(FunctionName=FUNCTION, Qualifier="live")
    assert first != second
    assert versions(functions) == ["$LATEST", second]
    assert live["Environment"]["Variables"]["PUBLIC_CAPTURE_FACTS"] == "true"


def test_switched_off_nothing_of_it_is_left_and_the_page_finds_the_api(deployment, addresses, functions):
    address = set_up(deployment, "--no-snapstart")

    assert versions(functions) == ["$LATEST"]
    assert functions.list_aliases(FunctionName=FUNCTION)["Aliases"] == []
    assert images(address) == {"images": [], "cursor": None}
    # Another switch, said earlier, still holds.
    present = functions.get_function_configuration(FunctionName=FUNCTION)
    assert present["Environment"]["Variables"]["PUBLIC_CAPTURE_FACTS"] == "true"
