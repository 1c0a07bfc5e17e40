"""`setup.py --dry-run`: what it says is what a setup then does, and saying it does nothing."""

import json
from dataclasses import replace

import pytest

from setup_scripts.batch_options import BatchOptions
from setup_scripts.create_cloudfront import WANTED
from setup_scripts.dry_run import Call, DryRun, settled, until
from setup_scripts.plan import Fate, Plan
from setup_scripts.setup_command import main
from setup_scripts.steps import set_up
from tests.functional.aws_account import TappedAws, changes, context
from tests.local_cloud_fixture import free_port

pytestmark = pytest.mark.usefixtures("account")


class TappedDryRun(DryRun, TappedAws):
    """A dry run on moto; what reaches moto in spite of it is noted."""


def dry_run(home, shelf, **options):
    """The calls of a dry run, after which the account is found untouched."""
    calls: list[Call] = []
    made = context(home, dict(shelf), **options)
    dry = TappedDryRun(made.aws.target, calls.append)
    set_up(replace(made, aws=dry, until=until, settled=settled))
    assert dry.changes == []
    return calls


def test_a_plan_is_made_for_a_function_that_aws_could_not_change_before(tmp_path, shelf):
    set_up(context(tmp_path, shelf))
    calls: list[Call] = []
    made = context(tmp_path, dict(shelf))
    dry = TappedDryRun(made.aws.target, calls.append)

    def fail(parsed, **_):
        parsed.update(LastUpdateStatus="Failed", LastUpdateStatusReason="The role was not found")

    dry.functions.meta.events.register_first("after-call.lambda.GetFunctionConfiguration", fail)
    set_up(replace(made, aws=dry, until=until, settled=settled))

    assert changing(calls) == ["UpdateFunctionConfiguration"] * 3


def names(plan, fate):
    return {f"{one.kind} {one.name}" for one in plan.with_fate(fate)}


def changing(calls):
    return [call.operation for call in calls if call.changes]


def test_a_fresh_plan_makes_everything_and_is_what_setup_then_does(tmp_path):
    calls = dry_run(tmp_path, {})

    plan = Plan.of(calls)
    set_up(real := context(tmp_path, {}))

    assert {one.fate for one in plan.resources} == {Fate.MADE}
    assert {"table ImageMetadata", "trigger ImageProcessingFunction"} <= names(plan, Fate.MADE)
    assert changing(calls) == changes(real)


def test_after_setup_everything_is_left(tmp_path, shelf):
    fresh = Plan.of(dry_run(tmp_path, shelf))
    set_up(context(tmp_path, shelf))

    plan = Plan.of(dry_run(tmp_path, shelf))

    assert {one.fate for one in plan.resources} == {Fate.LEFT}
    assert {one.kind for one in plan.resources} == {one.kind for one in fresh.resources}
    assert len(plan.resources) == len(fresh.resources)


def test_another_architecture_changes_the_functions_and_nothing_else(tmp_path, shelf):
    set_up(first := context(tmp_path, shelf))

    plan = Plan.of(calls := dry_run(tmp_path, shelf, architecture="x86_64"))
    set_up(real := context(tmp_path, shelf, architecture="x86_64"))

    functions = {
        f"function {first.resources[key]}" for key in ("lambda-function", "gallery-function", "stats-function")
    }
    assert names(plan, Fate.CHANGED) == functions
    assert plan.with_fate(Fate.MADE) == []
    assert changing(calls) == changes(real)


def put_off(made):
    """Change and delete what a person might: the next setup has one of each kind to do."""
    aws, resources = made.aws, made.resources
    aws.sqs.set_queue_attributes(QueueUrl=resources["messages-queue"], Attributes={"VisibilityTimeout": "1"})
    aws.functions.update_function_configuration(FunctionName="ImageGalleryFunction", MemorySize=128)
    aws.functions.update_event_source_mapping(UUID=resources["event-source-uuid"], BatchSize=1)
    aws.logs.delete_log_group(logGroupName="/aws/lambda/ImageStatsFunction")
    aws.s3.delete_object(Bucket=resources["thumbnails-bucket"], Key="index.html")


def test_what_somebody_changed_is_planned_to_be_put_right_and_then_is(tmp_path, shelf):
    set_up(made := context(tmp_path, shelf))
    put_off(made)

    plan = Plan.of(calls := dry_run(tmp_path, shelf))
    set_up(real := context(tmp_path, shelf))

    queue = made.resources["messages-queue"].rsplit("/", 1)[1]
    assert names(plan, Fate.MADE) == {"log group /aws/lambda/ImageStatsFunction"}
    assert names(plan, Fate.CHANGED) == {
        f"queue {queue}",
        "function ImageGalleryFunction",
        "trigger ImageProcessingFunction",
        f"page {made.resources['thumbnails-bucket']}",
    }
    assert changing(calls) == changes(real)


def test_a_setup_that_died_half_way_is_planned_to_be_completed(tmp_path, shelf):
    from setup_scripts import create_s3_buckets, create_sqs_queue

    half = context(tmp_path, shelf)
    create_s3_buckets.create(half)
    create_sqs_queue.create(half)

    plan = Plan.of(calls := dry_run(tmp_path, shelf))
    set_up(real := context(tmp_path, shelf))

    assert {one.kind for one in plan.with_fate(Fate.LEFT)} == {"bucket", "queue"}
    assert "table ImageMetadata" in names(plan, Fate.MADE)
    assert changing(calls) == changes(real)


@pytest.mark.parametrize("stands", [True, False])
def test_cloudfront_is_planned_as_it_is_then_made(tmp_path, shelf, stands):
    if stands:
        set_up(context(tmp_path, shelf))
    wanted = {**shelf, f"{context(tmp_path, shelf).aws.target.prefix}/{WANTED}": "cloudfront"}

    plan = Plan.of(calls := dry_run(tmp_path, wanted))
    set_up(real := context(tmp_path, wanted))

    made = {one.kind for one in plan.with_fate(Fate.MADE)}
    assert made == {"access control", "distribution"} if stands else made > {"access control", "distribution"}
    # Setup goes over the functions twice, and of what a dry run pretends to make it remembers no change.
    assert changing(calls) == changes(real) or (not stands and set(changing(calls)) == set(changes(real)))


#: Options that the state remembers, each the other way round than by default → the kinds that it makes and deletes.
#: (moto knows no SnapStart: `tests/e2e/test_plan_on_the_local_cloud.py` has it.)
OPTIONS = {
    ("alarms", "off"): (set(), {"alarm", "dashboard"}),
    ("public-capture-facts", "on"): (set(), set()),
    ("image-service", "wanted"): ({"queue", "bucket", "role", "function", "trigger", "log group", "alarm"}, set()),
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("stands", [True, False])
def test_every_option_is_planned_as_it_is_then_done(tmp_path, shelf, option, stands):
    if stands:
        set_up(context(tmp_path, shelf))
    key, value = option
    wanted = {**shelf, f"{context(tmp_path, shelf).aws.target.prefix}/{key}": value}

    plan = Plan.of(calls := dry_run(tmp_path, wanted))
    set_up(real := context(tmp_path, wanted))

    assert changing(calls) == changes(real)
    if stands:
        made, deleted = OPTIONS[option]
        assert {one.kind for one in plan.with_fate(Fate.MADE)} == made
        assert {one.kind for one in plan.with_fate(Fate.DELETED)} == deleted
        set_up(again := context(tmp_path, wanted))
        assert changes(again) == []


@pytest.mark.parametrize("stands", [True, False])
def test_batch_is_planned_as_it_is_then_made(tmp_path, shelf, stands):
    if stands:
        set_up(context(tmp_path, shelf))
    BatchOptions().keep(context(tmp_path, shelf).resources)

    plan = Plan.of(calls := dry_run(tmp_path, shelf))
    set_up(real := context(tmp_path, shelf))

    kinds = {"repository", "compute environment", "job queue", "job definition"}
    assert changing(calls) == changes(real)
    assert {one.kind for one in plan.with_fate(Fate.MADE)} >= kinds
    after = Plan.of(dry_run(tmp_path, shelf))
    assert {one.fate for one in after.resources} == {Fate.LEFT}
    assert {one.kind for one in after.resources} >= kinds


def test_another_deployment_is_planned_beside_the_first(tmp_path, shelf):
    set_up(first := context(tmp_path, shelf))

    plan = Plan.of(dry_run(tmp_path, shelf, name="blue"))

    assert {one.fate for one in plan.resources} == {Fate.MADE}
    assert not names(plan, Fate.MADE) & names(Plan.of(dry_run(tmp_path, shelf)), Fate.LEFT)
    assert "table ImageMetadata-blue" in names(plan, Fate.MADE)
    assert first.aws.dynamodb.list_tables()["TableNames"] == ["ImageMetadata", "ImageStats"]


@pytest.fixture
def laptop(tmp_path, monkeypatch):
    """A laptop on which nothing ever ran."""
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCAL_CLOUD_PORT", str(free_port()))
    return tmp_path


def test_a_fresh_local_plan_needs_no_local_cloud_and_leaves_no_file(laptop, capsys):
    assert main(["--local", "--dry-run", "--json"]) == 0

    plan = json.loads(capsys.readouterr().out)
    assert {"bucket", "queue", "table", "role", "function", "trigger", "page"} <= {one["kind"] for one in plan["made"]}
    assert plan["changed"] == plan["deleted"] == plan["left"] == []
    assert list(laptop.iterdir()) == []


def test_with_every_option_a_fresh_plan_needs_no_local_cloud_either(laptop, capsys):
    options = ["--snapstart", "--public-capture-facts", "--no-alarms", "--with-image-service", "--name", "blue"]

    assert main(["--local", "--dry-run", *options]) == 0

    assert "made     function   ImageServiceFunction-blue" in capsys.readouterr().out


def test_a_local_cloud_that_is_stopped_must_be_started_first(laptop, capsys):
    (laptop / ".local_cloud").mkdir()

    assert main(["--local", "--dry-run"]) == 254

    assert "python -m local_cloud start" in capsys.readouterr().err


def test_a_plan_is_a_line_for_each_resource(laptop, capsys):
    assert main(["--local", "--dry-run"]) == 0

    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len([line for line in lines if line.startswith("made ")]) == len(lines) > 10
    assert any(line.split() == ["made", "table", "ImageMetadata"] for line in lines)
    assert "Nothing was done" in told.err
