"""Section `alerts` of the settings: what is wrong is named, what is secret is not."""

import json
from pathlib import Path

import pytest

from dashboard.checks import settings_in_force
from dashboard.commands.options import as_environment
from schemas.alerts import AlertSettings
from schemas.settings import Settings, SettingsError

SLACK = "https://hooks.slack.com/services/T0/B0/s3cret"


def load(tmp_path: Path, section: str) -> Settings:
    file = tmp_path / "seamscope.toml"
    file.write_text(f"[alerts]\n{section}\n")
    return Settings.load(file=file, environ={})


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        (f"slack = '{SLACK}'\nnope = 1", "alerts.nope: Extra inputs"),
        (f"slack = '{SLACK}'\nobjective = 95", "alerts.objective: Input should be less than 1"),
        (f"slack = '{SLACK}'\nobjectives = {{ a = 1.0 }}", "alerts.objectives.a: Input should be less than 1"),
        (f"slack = '{SLACK}'\nopen_after = 0", "alerts.open_after"),
        ("objective = 0.9", "needs webhook or slack"),
        ("slack = 'ftp://s3cret.example'", "alerts.slack: Value error, is no http:// or https:// address"),
        ("slack = 's3cret'", "is no http:// or https:// address"),
        ("slack = 'https://s3cret:port'", "is no http:// or https:// address"),
        ("slack = 'https://h/s3cret\\n'", "is no http:// or https:// address"),
        ("slack = 'https:///s3cret'", "is no http:// or https:// address"),
        ("webhook = 'https://user:s3cret@h/'", "use webhook_token"),
    ],
)
def test_what_cannot_be_is_named_without_its_secret(tmp_path: Path, section: str, complaint: str) -> None:
    """The file, the key and the reason stand in the message, the address does not."""
    section = section.replace("\\n", "\\u000a").replace("'https://h/s3cret\\u000a'", '"https://h/s3cret\\u000a"')
    with pytest.raises(SettingsError) as told:
        load(tmp_path, section)
    assert complaint in str(told.value)
    assert "seamscope.toml: " in str(told.value)
    assert "s3cret" not in str(told.value)


def test_an_objective_of_a_workflow_goes_before_the_general_one(tmp_path: Path) -> None:
    alerts = load(tmp_path, f"slack = '{SLACK}'\nobjective = 0.95\nobjectives = {{ refund_triage = 0.83 }}").alerts
    assert alerts is not None
    assert (alerts.objective_of("refund_triage"), alerts.objective_of("other")) == (0.83, 0.95)
    assert AlertSettings(slack=SLACK).objective_of("other") is None


def test_child_processes_get_the_very_same_section(tmp_path: Path) -> None:
    """Secrets included, through a variable; nowhere else do they show."""
    settings = load(tmp_path, f"slack = '{SLACK}'\nwebhook = 'http://h/x'\nwebhook_token = 't0ken'")
    variables = as_environment(settings)
    assert Settings.load(environ=variables).alerts == settings.alerts
    assert json.loads(variables["SEAMSCOPE_ALERTS"])["slack"] == SLACK
    shown = f"{settings!r} {settings.model_dump_json()} {[finding.text for finding in settings_in_force(settings, {})]}"
    assert "s3cret" not in shown
    assert "t0ken" not in shown
    assert "http://h/x" not in shown


def test_a_variable_that_is_no_json_is_named_without_its_text() -> None:
    with pytest.raises(SettingsError, match="environment: alerts: not valid JSON") as told:
        Settings.load(environ={"SEAMSCOPE_ALERTS": "{s3cret"})
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("url", ["seam.example", "javascript:alert(1)", "https://a b", "https://a|b>"])
def test_links_lead_to_a_web_address_only(url: str) -> None:
    with pytest.raises(SettingsError, match="public_url"):
        Settings.load(environ={"SEAMSCOPE_PUBLIC_URL": url})
