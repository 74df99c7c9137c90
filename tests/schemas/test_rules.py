"""Rules in seamscope.toml: what is taken, and how mistakes are told."""

from pathlib import Path

import pytest

from dashboard.commands.options import as_environment
from schemas.settings import Settings, SettingsError

GOOD = """
[rules]
side_effects = ["issue_refund"]

[rules.codes."shop.card_declined"]
layer_a = "tool"
layer_b = "handoff"

[[rules.match]]
code = "shop.card_declined"
where = "tool"
says = "card declined"

[[rules.match]]
code = "tool.auth"
status = 423
"""


def load(tmp_path: Path, toml: str) -> Settings:
    file = tmp_path / "seamscope.toml"
    file.write_text(toml)
    return Settings.load(file=file, environ={})


def test_rules_are_read(tmp_path: Path) -> None:
    rules = load(tmp_path, GOOD).rules
    assert rules is not None
    assert rules.side_effects == ("issue_refund",)
    assert [(rule.code, rule.where) for rule in rules.match] == [("shop.card_declined", "tool"), ("tool.auth", "any")]
    assert rules.codes["shop.card_declined"].severity == "medium"


def test_the_rules_of_the_document_are_good(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "failures.md"
    toml = document.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    rules = load(tmp_path, toml).rules
    assert rules is not None
    assert (len(rules.match), len(rules.contracts)) == (2, 1)


def test_a_child_process_gets_the_rules_of_its_parent(tmp_path: Path) -> None:
    parent = load(tmp_path, GOOD)
    assert Settings.load(environ=as_environment(parent)).rules == parent.rules


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[[rules.match]]\ncode = "tool.auht"\nsays = "x"', r"rules: .*code 'tool.auht' is neither ours nor"),
        ('[[rules.contracts]]\nname = "x"\ninput = "("\noutput = "y"', r"rules\.contracts\.0\.input: .*no regular"),
        ('[[rules.match]]\ncode = "tool.auth"', r"rules\.match\.0: .*at least one of exception, says, status"),
        ('[[rules.match]]\ncode = "tool.auth"\nsays = "("', r"rules\.match\.0\.says: .*no regular expression"),
        ('[[rules.match]]\ncode = "tool.auth"\nattribute = "a"', r"rules\.match\.0: .*attribute and value belong"),
        ('[[rules.match]]\ncode = "tool.auth"\nsay = "x"', r"rules\.match\.0\.say: "),
        ('[[rules.match]]\ncode = "tool.auth"\nsays = "x"\nwhere = "tol"', r"rules\.match\.0\.where: .*'tool'"),
        ('[rules.codes."tool.auth"]\nlayer_a = "tool"\nlayer_b = "state"', r"rules: .*'tool.auth' is one of ours"),
        ('[rules.codes."Declined"]\nlayer_a = "tool"\nlayer_b = "state"', r"rules: .*must read like shop"),
        ('[rules.codes."a.b"]\nlayer_a = "tools"\nlayer_b = "state"', r"rules\.codes\.a\.b\.layer_a: "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, toml)


def test_a_variable_that_is_no_json_is_told() -> None:
    with pytest.raises(SettingsError, match="environment: rules: not valid JSON"):
        Settings.load(environ={"SEAMSCOPE_RULES": "{"})
