import json
from pathlib import Path

import pytest

from cli.exits import CommandError, Exit
from setup_scripts.audit import SERVICES, WEAK, audit

FOUND = json.dumps({"dependencies": [{"name": "urllib3", "version": "1.26.4", "vulns": [{"id": "PYSEC-2021-108"}]}]})
#: What pip-audit says, with exit code 0, where a service knows nothing of the library at all.
SKIPPED = json.dumps({"dependencies": [{"name": "urllib3", "skip_reason": "not found"}]})


class PipAudit:
    """Answers like pip-audit, where only some services can be reached; notes what it is asked."""

    def __init__(self, *reached, weak_libraries=False):
        self.reached, self.weak_libraries = reached, weak_libraries
        self.audited: list[tuple[str, ...]] = []

    def __call__(self, arguments):
        service = arguments[arguments.index("--vulnerability-service") + 1]
        if "--format" in arguments:
            assert Path(arguments[-1]).read_text() == WEAK
            return (1, FOUND) if service in self.reached else (0, SKIPPED) if service == "pypi" else (1, "")
        self.audited.append(tuple(arguments))
        return (1, "pillow 1.0 CVE-1") if self.weak_libraries else (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_that_finds_the_weak_library_is_asked_about_ours(service, capsys):
    pip_audit = PipAudit(service)

    assert audit(pip_audit) == Exit.DONE

    zip_audit, run_audit = pip_audit.audited
    assert "--require-hashes" in zip_audit and any(text.endswith("requirements-hashed.txt") for text in zip_audit)
    assert any(text.endswith("/requirements.txt") for text in run_audit)
    assert all("--strict" in arguments and service in arguments for arguments in pip_audit.audited)
    assert f"No known weakness, says {service}" in capsys.readouterr().err


def test_a_weakness_of_a_library_is_told_and_ends_with_1(capsys):
    assert audit(PipAudit("pypi", weak_libraries=True)) == Exit.SOME_FAILED

    assert "pillow 1.0 CVE-1" in capsys.readouterr().out


def test_where_no_service_knows_the_weak_library_nothing_counts_as_audited():
    pip_audit = PipAudit()

    with pytest.raises(CommandError, match="nothing was audited") as fault:
        audit(pip_audit)

    assert fault.value.exit_code == Exit.REFUSED
    assert pip_audit.audited == []
