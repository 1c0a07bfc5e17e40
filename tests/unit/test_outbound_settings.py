from ipaddress import ip_network

import pytest

from cli.signing_secrets import FILE_NAME, kept_secrets
from pipeline.settings import SettingsError
from pipeline.web.settings import OutboundSettings
from pipeline.web.signing import new_secret

ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "ImageServiceFunction"}


def no_parameters(name):
    raise AssertionError(f"nobody should ask for {name}")


def settings(environ, parameters=None):
    return OutboundSettings.from_environment(environ, parameters.__getitem__ if parameters else no_parameters)


def test_without_a_word_only_public_addresses_and_the_two_ports_of_the_web_are_open():
    made = settings({})

    assert made.networks == ()
    assert made.ports == {80, 443}
    assert (made.signers, made.secret_key, made.allow_http) == ((), None, False)


def test_networks_and_ports_are_opened_by_name():
    made = settings({"FETCH_ALLOW_NETWORKS": "10.1.0.0/16, fd00::/8", "FETCH_ALLOW_PORTS": "8080 8443"})

    assert made.networks == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert made.ports == {80, 443, 8080, 8443}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FETCH_ALLOW_NETWORKS", "intranet"),
        ("FETCH_ALLOW_NETWORKS", "10.1.0.1/16"),
        ("FETCH_ALLOW_PORTS", "http"),
        ("FETCH_ALLOW_PORTS", "0"),
        ("FETCH_ALLOW_PORTS", "65536"),
        ("FETCH_ALLOW_PORTS", "²"),
    ],
)
def test_what_is_no_network_or_no_port_is_shown_with_the_cure(name, value):
    with pytest.raises(SettingsError, match=f"{name}: '{value}'.*looks like"):
        settings({name: value})


@pytest.mark.parametrize("opened", [{"FETCH_ALLOW_NETWORKS": "10.0.0.0/8"}, {"FETCH_ALLOW_PORTS": "8080"}])
@pytest.mark.parametrize("aws", [{}, {"AWS_ENDPOINT_URL": "https://sqs.us-east-1.amazonaws.com"}])
def test_on_lambda_nothing_can_be_opened(opened, aws):
    with pytest.raises(SettingsError, match="are refused on Lambda"):
        settings(ON_LAMBDA | opened | aws)


def test_in_the_local_cloud_a_function_may_have_it_opened():
    made = settings(ON_LAMBDA | {"FETCH_ALLOW_PORTS": "8080", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})

    assert 8080 in made.ports


def test_secrets_are_values_or_names_of_parameters():
    first, second = new_secret(), new_secret()
    environ = {"POSTBACK_SECRET_KEY": "ssm:/images/key", "POSTBACK_SIGNING_SECRETS": "ssm:/images/signing"}

    made = settings(environ, {"/images/key": "the key", "/images/signing": f"{first}\n{second}\n"})

    assert made.secret_key == "the key"
    assert len(made.signers) == 2
    assert settings({"POSTBACK_SECRET_KEY": " the key "}).secret_key == "the key"


@pytest.mark.parametrize(
    "secret",
    ["whsec_", "whsec_not base64", "whsec_dG9vIHNob3J0", new_secret().removeprefix("whsec_"), f"whsec_{'A' * 88}"],
    ids=["empty", "not base64", "short", "without its prefix", "long"],
)
def test_what_is_no_signing_secret_is_refused_without_being_shown(secret):
    with pytest.raises(SettingsError, match="openssl rand") as refused:
        settings({"POSTBACK_SIGNING_SECRETS": secret})

    assert secret.removeprefix("whsec_").strip() == "" or secret.removeprefix("whsec_") not in str(refused.value)


def test_no_secret_is_in_what_a_log_would_show():
    secret = new_secret()

    made = settings({"POSTBACK_SECRET_KEY": "the key", "POSTBACK_SIGNING_SECRETS": secret})

    assert "the key" not in repr(made)
    assert secret.removeprefix("whsec_") not in repr(made)


def test_where_nobody_set_a_signing_secret_one_is_made_and_kept_for_its_owner_only(tmp_path):
    made = kept_secrets(tmp_path)

    assert kept_secrets(tmp_path) == made
    assert len(settings({"POSTBACK_SIGNING_SECRETS": made}).signers) == 1
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
