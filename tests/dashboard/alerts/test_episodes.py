"""One message when an episode begins and one when it ends, whatever happens in between."""

from collections.abc import Sequence

import pytest

from dashboard.alerts.conditions import Condition
from dashboard.alerts.episodes import advance
from dashboard.alerts.state import Episode, State
from schemas.alerts import Alert
from tests.dashboard.alerts.made import NOW, WORDS, condition

MINUTE = 60 * 10**9
STATES = {"h": "holds", "b": "between", "o": "over"}


def told(turns: Sequence[list[Condition]], *, restart: bool = False) -> list[tuple[int, Alert]]:
    """Each message with its turn; between the turns what is kept goes through the file's form where `restart`."""
    episodes: dict[str, Episode] = {}
    said = []
    for turn, found in enumerate(turns):
        episodes, alerts = advance(episodes, found, WORDS, NOW + turn * MINUTE, open_after=2, close_after=3)
        said += [(turn, alert) for alert in alerts]
        if restart:
            kept = State(episodes=episodes).model_dump_json()
            episodes = dict(State.model_validate_json(kept).episodes)
    return said


@pytest.mark.parametrize(
    ("states", "messages"),
    [
        ("hhhhooo", [(1, "open"), (6, "close")]),
        ("hohohoh", []),  # never twice in a row
        ("hbhbhb", []),  # between the lines the counting starts over
        ("hhoohoohooo", [(1, "open"), (10, "close")]),  # a flicker ends nothing
        ("hhbbbbbbb", [(1, "open")]),
        ("hhoobooo", [(1, "open"), (7, "close")]),
        ("hhooohh", [(1, "open"), (4, "close"), (6, "open")]),
        ("hh", [(1, "open")]),
        ("ooo", []),
    ],
)
@pytest.mark.parametrize("restart", [False, True])
def test_an_episode_speaks_when_it_begins_and_when_it_ends(
    states: str, messages: list[tuple[int, str]], restart: bool
) -> None:
    """Also where the process starts anew between all evaluations; a condition that is absent is over."""
    turns = [[condition(STATES[state])] if state != "o" else [] for state in states]
    present = [[condition(STATES[state])] for state in states]
    for one in (turns, present):
        assert [(turn, alert.kind) for turn, alert in told(one, restart=restart)] == messages


def test_both_messages_name_the_same_episode_and_the_next_one_another() -> None:
    """Ids of messages differ, so that a receiver can leave out what it has."""
    alerts = [alert for _, alert in told([[condition()]] * 2 + [[]] * 3 + [[condition()]] * 2)]
    assert [alert.episode == alerts[0].episode for alert in alerts] == [True, True, False]
    assert len({alert.id for alert in alerts}) == 3


def test_a_ticket_waits_while_a_page_is_open() -> None:
    """It is told if it still holds when the page is over, and another workflow's is told at once."""
    page, ticket = condition(), condition(urgency="ticket")
    other = condition(urgency="ticket", workflow="other")
    said = told([[page, ticket]] * 3 + [[ticket, other]] * 4)
    assert [(turn, alert.kind, alert.urgency, alert.workflow) for turn, alert in said] == [
        (1, "open", "page", "refund_triage"),
        (4, "open", "ticket", "other"),
        (5, "close", "page", "refund_triage"),
        (5, "open", "ticket", "refund_triage"),
    ]


def test_rules_do_not_mix() -> None:
    """A storm and a burn of one workflow are two episodes."""
    said = told([[condition()], [condition(), condition(rule="storm")], [condition(rule="storm")]])
    assert [(turn, alert.rule) for turn, alert in said] == [(1, "burn"), (2, "storm")]
