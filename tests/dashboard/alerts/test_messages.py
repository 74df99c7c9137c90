"""Messages say what, where, how much and since when, and do no harm where they are read."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.alerts.messages import Words, json_body, slack_body, slack_text
from schemas.alerts import Alert
from tests.dashboard.alerts.made import HOUR, NOW, WORDS, condition

HOSTILE = "<!channel> *x* <https://evil.example|pay> & `c` @here https://evil.example \u202e\n\x1b[31m" + "y" * 300


def test_a_burn_says_share_band_runs_window_and_line() -> None:
    alert = WORDS.begun(condition(), NOW)
    assert alert.text == (
        "refund_triage burns its objective: 50.0 % [40.0, 60.0] of 100 runs failed in the last 6 h 00 m, "
        "30.0 % is the line."
    )


def test_a_storm_says_step_amplification_trigger_and_spread() -> None:
    found = replace(condition(rule="storm"), value=3.25, cause="provider.rate_limited", also=("tool search", "model m"))
    alert = Words("https://seam.example/", WORDS.zone, "production").begun(found, NOW)
    assert alert.text == (
        "Retry storm in refund_triage (production), step look_up: 3.25 attempts an operation over 100 operations, set "
        "off by provider.rate_limited, since Wed 20:13; also tool search, model m."
    )
    assert (alert.measure, alert.step, alert.environment) == ("amplification", "look_up", "production")


def test_a_fall_says_both_levels_and_what_came_with_it() -> None:
    alert = WORDS.begun(replace(condition(rule="drift"), limit=0.9, cause="model m-2"), NOW)
    assert alert.text == (
        "refund_triage delivers less since Wed 20:13: 50.0 % [40.0, 60.0] of 100 runs got through, 90.0 % did before; "
        "near it model m-2 was first seen."
    )


def test_the_link_shows_exactly_the_window() -> None:
    """Whole buckets around it, the workflow, and the environment; names cannot add parameters."""
    found = replace(condition(), workflow="a&b=c #d")
    alert = Words("https://seam.example/", WORDS.zone, "production").begun(found, NOW)
    url = urlsplit(alert.link)
    assert url._replace(query="").geturl() == "https://seam.example/steps"
    assert parse_qs(url.query) == {
        "workflow": ["a&b=c #d"],
        "from": ["2025-11-12T20:10:00Z"],
        "to": ["2025-11-13T02:15:00Z"],
        "environment": ["production"],
    }


def test_the_second_message_says_how_long_and_how_it_is_now() -> None:
    begun = WORDS.begun(condition(), NOW)
    now = replace(condition("over"), value=0.02, low=0.0, high=0.1, n=50)
    ended = WORDS.ended(begun, now, NOW + HOUR)
    assert ended.text == (
        "Over after 7 h 00 m: the objective no longer burns in refund_triage; now 2.0 % of 50 runs failed."
    )
    assert (ended.kind, ended.value, ended.n, ended.since) == ("close", 0.02, 50, begun.since)
    assert WORDS.ended(begun, None, NOW + HOUR).text.endswith("no longer burns in refund_triage.")


def test_a_burn_is_as_old_as_its_episode_and_not_as_its_window() -> None:
    """The window's length stands where the share does; how long it lasted goes by when it began."""
    begun = WORDS.begun(replace(condition(), since_ns=NOW - HOUR), NOW)
    assert "failed in the last 6 h 00 m" in begun.text
    assert WORDS.ended(begun, None, NOW + HOUR).text.startswith("Over after 2 h 00 m:")


def test_the_json_follows_the_published_model() -> None:
    """What a receiver parses is what was said, times in UTC with a Z."""
    alert = WORDS.begun(condition(), NOW)
    body = json_body(alert)
    assert Alert.model_validate(body) == alert
    assert body["at"] == "2025-11-13T02:13:20Z"


def test_hostile_names_do_no_harm_in_slack() -> None:
    """No control sign of Slack's is left but in our own link; names are cut, in one line, without controls."""
    alert = WORDS.begun(replace(condition(rule="storm"), workflow=HOSTILE, step=HOSTILE, also=(HOSTILE,)), NOW)
    assert len(alert.text) < 600
    assert alert.text.isprintable()
    body = slack_body(alert)
    block = body["blocks"][0]["text"]
    line, link = block["text"].split("\n")
    for text in (body["text"], line):
        assert not set("<>") & set(text)
        assert text.count("&") == sum(text.count(entity) for entity in ("&amp;", "&lt;", "&gt;"))
        assert "://" not in text.replace("://\u2060", "")
        assert "@here" not in text
    assert link.startswith("<http://127.0.0.1:8501/steps?workflow=%3C")
    assert link.count("|") == link.count(">") == 1
    assert block["type"] == "mrkdwn"
    assert block["verbatim"] is True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b", "a &amp; b"),
        ("<x>", "&lt;x&gt;"),
        ("snake_case stays", "snake_case stays"),
        ("*bold*", "*\u2060bold*\u2060"),
        ("at 20:13: so", "at 20:13: so"),
        (":fire:", ":\u2060fire:"),
    ],
)
def test_slack_text_shows_as_it_is(text: str, shown: str) -> None:
    assert slack_text(text) == shown
