"""When to speak: one message when an episode begins, one when it ends. Pure.

A condition that holds for some evaluations in a row begins an episode; one that is below its lower line for some in a
row ends it. In between nothing changes and the counting starts over.
"""

from collections.abc import Iterable, Mapping

from dashboard.alerts.conditions import Condition
from dashboard.alerts.messages import Words
from dashboard.alerts.state import Episode
from schemas.alerts import Alert


def advance(
    episodes: Mapping[str, Episode],
    found: Iterable[Condition],
    words: Words,
    at_ns: int,
    *,
    open_after: int,
    close_after: int,
) -> tuple[dict[str, Episode], list[Alert]]:
    """One evaluation: what is kept after it, and what to say in a fixed order, endings first.

    Args:
        episodes: what the evaluation before gave back.
        found: the conditions now; a key that is not among them is over.
        words: makes messages.
    """
    conditions = {condition.key: condition for condition in found}
    after: dict[str, Episode] = {}
    begun, ended = [], []
    for key in sorted({*episodes, *conditions}):
        episode, condition = episodes.get(key, Episode()), conditions.get(key)
        state = condition.state if condition else "over"
        count = episode.count + 1 if state == ("over" if episode.alert else "holds") else 0
        if episode.alert is None:
            if condition and count >= open_after and not _is_told(condition, after):
                alert = words.begun(condition, at_ns)
                begun.append(alert)
                after[key] = Episode(alert=alert)
            elif count:
                after[key] = Episode(count=count)
        elif count >= close_after:
            ended.append(words.ended(episode.alert, condition, at_ns))
        else:
            after[key] = Episode(count=count, alert=episode.alert)
    return after, [*ended, *begun]


def _is_told(condition: Condition, episodes: Mapping[str, Episode]) -> bool:
    """Whether something more urgent of the same rule and workflow is open: then this is no news."""
    if condition.urgency == "page":
        return False
    other = episodes.get(f"{condition.rule}/page/{condition.workflow}")
    return other is not None and other.alert is not None
