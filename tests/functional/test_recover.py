from typing import Any

import pytest

from cli.connection import Connection
from cli.exits import CommandError, Exit
from cli.state import Resources, open_state
from setup_scripts.lookup import merged
from setup_scripts.recover import recover, recover_anew, tagged
from setup_scripts.roles import LAB_ROLE
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")


@pytest.mark.parametrize("name", ["default", "blue"])
def test_lost_state_is_found_by_its_tag_and_nothing_is_made_twice(tmp_path, name):
    shelf: dict[str, str] = {}
    other = context(tmp_path, shelf, name="other")
    set_up(other)
    first = context(tmp_path, shelf, name=name)
    set_up(first)
    known = dict(first.resources)

    again = context(tmp_path, {}, name=name)
    with open_state(tmp_path) as empty:
        resources = Resources(empty, again.aws.target.prefix)
        connection = Connection(target=again.aws.target, aws=again.aws, shelf=empty, resources=resources, home=tmp_path)
        recover(connection, lambda text: None)
        again.resources.update(resources)
    set_up(again)

    assert changes(again) == []
    assert dict(again.resources) == known


def connected(context, home, shelf):
    return Connection(target=context.aws.target, aws=context.aws, shelf=shelf, resources=context.resources, home=home)


def test_a_state_that_names_something_else_is_put_right_by_the_tags_when_asked(tmp_path):
    first = context(tmp_path, {})
    set_up(first)
    known = dict(first.resources)
    wrong = context(tmp_path, {f"{first.aws.target.prefix}/images-bucket": "image-uploads-bucket-20200101-00000000"})
    said: list[str] = []

    recover_anew(connected(wrong, tmp_path, {}), said.append)
    set_up(wrong)

    assert changes(wrong) == []
    assert dict(wrong.resources) == known
    assert f"found by its tag: {known['images-bucket']}" in said


def test_what_was_made_since_originals_were_kept_is_found_beside_them(tmp_path):
    set_up(first := context(tmp_path, {}))
    known = dict(first.resources)
    kept = context(tmp_path, {f"{first.aws.target.prefix}/images-bucket": known["images-bucket"]})

    recover(connected(kept, tmp_path, {}), lambda text: None)
    set_up(kept)

    assert changes(kept) == []
    assert dict(kept.resources) == known


def test_what_was_chosen_is_recovered_too_so_that_nothing_private_becomes_public(tmp_path):
    first = context(tmp_path, {})
    first.resources.update({"private-bucket": "cloudfront", "public-capture-facts": "on"})
    first.resources.update({"variant-formats": "webp,avif", "variant-widths": "320,640"})
    set_up(first)
    known = dict(first.resources)

    recover(connected(lost := context(tmp_path, {}), tmp_path, {}), lambda text: None)
    set_up(lost)

    assert changes(lost) == []
    assert dict(lost.resources) == known


def test_recovering_where_nothing_carries_the_tag_is_refused_and_the_state_stays(tmp_path):
    shelf: dict[str, str] = {}
    empty = context(tmp_path, shelf, name="blue")

    with pytest.raises(CommandError, match="image-pipeline=blue") as fault:
        recover_anew(connected(empty, tmp_path, shelf), lambda text: None)

    assert fault.value.exit_code == Exit.REFUSED
    assert shelf == {}


def refuse(context, *operations):
    """Make IAM answer AccessDenied to these operations, as it does to a student's credentials."""

    def answer(model, **_):
        if model.name in operations:
            from types import SimpleNamespace

            return SimpleNamespace(status_code=403), {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
        return None

    context.aws.iam.meta.events.register_first("before-call", answer)


def test_where_roles_cannot_be_made_lab_role_is_used(tmp_path):
    student = context(tmp_path, {})
    student.aws.iam.create_role(
        RoleName=LAB_ROLE, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    arn = student.aws.iam.get_role(RoleName=LAB_ROLE)["Role"]["Arn"]
    refuse(student, "CreateRole")

    set_up(student)

    assert student.resources["labrole-arn"] == student.resources["gallery-role-arn"] == arn
    configuration = student.aws.functions.get_function_configuration(FunctionName="ImageProcessingFunction")
    assert configuration["Role"] == arn


def test_the_teardown_of_a_student_leaves_lab_role_and_nothing_else(tmp_path):
    student = context(tmp_path, {})
    student.aws.iam.create_role(
        RoleName=LAB_ROLE, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    refuse(student, "CreateRole", "DeleteRole", "DeleteRolePolicy", "PutRolePolicy")
    set_up(student)

    tear_down(student)

    assert [role["RoleName"] for role in student.aws.iam.list_roles()["Roles"]] == [LAB_ROLE]
    assert tagged(student.aws) == []


def test_where_there_is_no_lab_role_either_it_is_told(tmp_path):
    student = context(tmp_path, {})
    refuse(student, "CreateRole", "GetRole")

    with pytest.raises(CommandError, match="no LabRole") as fault:
        set_up(student)

    assert fault.value.exit_code == Exit.REFUSED


def test_entries_of_others_keep_their_place_and_ours_are_replaced():
    present: list[dict[str, Any]] = [{"Id": "a", "x": 1}, {"Id": "ours", "x": 2}, {"x": 3}]

    assert merged(present, [{"Id": "ours", "x": 9}, {"Id": "new", "x": 4}], "Id") == [
        {"Id": "a", "x": 1},
        {"Id": "ours", "x": 9},
        {"x": 3},
        {"Id": "new", "x": 4},
    ]
