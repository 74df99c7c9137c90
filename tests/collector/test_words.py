"""What a search of runs looks through."""

from typing import Any

from collector.settle import RunRow, StepRow
from collector.settle.derive import MOST_WORDS, words_of
from collector.store import Store
from dashboard.questions import parameters, sql
from tests.collector.test_rollup import ask, filled, filled_dir
from tests.collector.test_settling import settings

__all__ = ["filled", "filled_dir", "settings"]


def test_a_run_holds_the_words_of_its_steps(filled: Store) -> None:
    """What a search looks through is what the rows say, in lower case; no word of a step is missing."""
    words = "unnest([lower(name), lower(error_type), lower(error_message), lower(in_band_error)])"
    told = ask(
        filled,
        f"with said as (select run_id, {words} as word from step union all select run_id, unnest([lower(workflow), "
        "lower(failing_step)]) from run) select count(*), count(*) filter (where not contains(words, word)), "
        "count(*) filter (where words is null), max(length(words)), count(distinct word) "
        "from said join run using (run_id) where word is not null",
    )
    ((said, missing, unkept, longest, different),) = told
    assert missing == 0
    assert said > 1_000
    assert different > 100
    assert unkept < said / 10
    assert longest <= MOST_WORDS


def found(store: Store, text: str) -> list[tuple[Any, ...]]:
    """The runs that hold a text."""
    asked = dict.fromkeys(parameters("runs_found_over_time"), "")
    asked |= {"since_ns": 0, "until_ns": 2**62, "bucket_ns": 3_600 * 10**9, "abandoned_ns": 0, "tries": 1, "text": text}
    asked["environment"] = "all"
    asked |= {name: [] for name in ("states", "steps", "services", "instrumentations")}
    asked |= dict.fromkeys(("failing", "calling", "sending"), False)
    with store.cursor() as cursor:
        return cursor.execute(sql("runs_found_over_time"), asked).fetchall()


def test_a_search_finds_the_same_by_words_and_without(filled: Store) -> None:
    """A run whose words are too many to keep is found by its steps; names, errors, workflows, sessions and ids."""
    run_id, session, workflow, name, error = ask(
        filled,
        "select r.run_id, r.session_id, r.workflow, s.name, s.error_message from run r join step s using (run_id) "
        "where session_id is not null and error_message is not null order by r.run_id limit 1",
    )[0]
    second = f"{run_id}-{'0a' * 8}"  # as the second run of a trace is called
    with filled.cursor() as cursor:
        cursor.execute("insert into store.run select * replace ($id as run_id) from store.run limit 1", {"id": second})
    texts = [
        second,
        run_id[:7],
        session[1:].lower(),
        workflow[2:].lower(),
        name[1:].lower(),
        error[:30].lower(),
        "e",
        "no such",
    ]
    kept = [found(filled, text) for text in texts]
    with filled.cursor() as cursor:
        cursor.execute("update store.run set words = null")
    assert [found(filled, text.lower()) for text in texts] == kept
    assert [bool(rows) for rows in kept] == [True] * 7 + [False]


def test_words_that_are_too_many_are_not_kept() -> None:
    """A wide fan-out would make of every run's row a book."""
    run, steps = _row(RunRow, workflow="Desk"), [_row(StepRow, name=f"Batch {n}", error_type="E") for n in range(3)]
    assert words_of(run, [*steps, *steps]) == "desk\nbatch 0\ne\nbatch 1\nbatch 2"
    assert words_of(run, [*steps, _row(StepRow, name="x" * MOST_WORDS)]) is None


def _row(kind: Any, **told: str) -> Any:
    return kind(**dict.fromkeys(kind._fields) | told)
