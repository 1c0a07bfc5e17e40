"""Where secrets of postbacks come from, and that the main function loads nothing of all this."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from moto import mock_aws

from cli.signing_secrets import kept_secrets
from pipeline.clients import make_client
from pipeline.parameters import parameter_reader
from pipeline.settings import Settings, SettingsError
from tests.meta.project import ROOT


def test_a_parameter_is_read_decrypted_and_a_missing_one_is_told_with_the_cure():
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        ssm = session.client("ssm", endpoint_url="https://ssm.us-east-1.amazonaws.com")
        ssm.put_parameter(Name="/images/key", Value="hunter2", Type="SecureString")
        read = parameter_reader(lambda: make_client(session, "ssm", endpoint_url=ssm.meta.endpoint_url))

        assert read("/images/key") == "hunter2"
        with pytest.raises(SettingsError, match=r"ssm:/images/none.*ParameterNotFound.*put-parameter"):
            read("/images/none")


def test_no_client_is_made_for_parameters_that_nobody_reads():
    def make():
        raise AssertionError("nobody asked for a parameter")

    parameter_reader(make)


def test_programs_that_start_together_agree_on_one_secret(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: kept_secrets(tmp_path), range(64)))

    assert len(secrets) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_the_main_function_loads_nothing_of_fetching_and_postbacks():
    settings = Settings(
        uploads_bucket="uploads",
        outputs_bucket="outputs",
        table_name="ImageMetadata",
        outputs_url="https://example.com/outputs",
        uploads_url="https://example.com/uploads",
        queue_url="https://example.com/queue",
    )
    code = "import sys, lambda_function.handler; print('\\n'.join(sys.modules))"

    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings.to_environment()},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = ended.stdout.split()
    assert [name for name in loaded if name.startswith(("pipeline.web.", "pipeline.images.nurs"))] == []
    assert "pipeline.process" in ended.stdout
