"""Settings: four sources, one model, every mistake named."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.commands.options import FLAGS, as_environment
from schemas.settings import Settings, SettingsError


def load(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **flags: object) -> Settings:
    file = tmp_path / "seamscope.toml"
    file.write_text(toml)
    return Settings.load(flags, file=file, environ=environ or {})


def test_a_stronger_source_wins(tmp_path: Path) -> None:
    toml = "http_port = 1\ngrpc_port = 1\nui_port = 1\n"
    environ = {"SEAMSCOPE_HTTP_PORT": "2", "SEAMSCOPE_GRPC_PORT": "2"}
    found = load(tmp_path, toml, environ, http_port=3, grpc_port=None)
    assert (found.http_port, found.grpc_port, found.ui_port) == (3, 2, 1)


@pytest.mark.parametrize(
    ("toml", "environ", "source"),
    [("htp_port = 1", {}, "seamscope.toml"), ("", {"SEAMSCOPE_HTP_PORT": "1"}, "environment")],
)
def test_an_unknown_key_is_named_with_its_source(
    tmp_path: Path, toml: str, environ: dict[str, str], source: str
) -> None:
    with pytest.raises(SettingsError, match=f"{source}: unknown setting 'htp_port'; known are .*http_port"):
        load(tmp_path, toml, environ)


def test_a_value_that_cannot_be_is_named_with_its_source_and_meaning(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"environment: http_port: .*OTLP/HTTP and the read API"):
        load(tmp_path, "", {"SEAMSCOPE_HTTP_PORT": "70000"})


def test_a_secret_is_not_in_the_message_of_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, 'write_token = ["s3cret"]')
    assert "s3cret" not in str(caught.value)


def test_broken_toml_is_told_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"seamscope\.toml: not valid TOML"):
        load(tmp_path, "http_port = = 1")


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeffhttp_port = 1\r\n").http_port == 1


def test_a_child_process_gets_exactly_the_settings_of_its_parent(tmp_path: Path) -> None:
    parent = Settings(
        data_dir=tmp_path, http_port=0, insecure=True, hold_s=1.5, write_token=SecretStr("t"), cors_origins=("a", "b")
    )
    assert Settings.load(environ=as_environment(parent)) == parent


def test_flags_are_settings() -> None:
    assert set(FLAGS) <= set(Settings.model_fields)
    assert not [name for name in FLAGS if "token" in name]
