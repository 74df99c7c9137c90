"""Two runs aligned step by step."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from dashboard.analytics.compare import align, operations, said

PLAIN: dict[str, Any] = {
    "kind": "tool", "depth": 1, "parent_span_id": None, "status": "ok", "in_band": False, "operation_outcome": "ok",
    "role": None, "recovered": None, "silent": None, "severity": None, "tries": 1, "duration_ns": 5,
    "start_ns": 0, "end_ns": 0,
    "tokens_input": None, "tokens_output": None, "input_hash": None, "output_hash": None,
}  # fmt: skip


def step(name: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """An operation whose span id is its name and place in the tree."""
    span_id = more.pop("span_id", f"{parent}/{name}")
    place = {"span_id": span_id, "operation_id": span_id, "parent_span_id": parent, "depth": 2 if parent else 1}
    return {**PLAIN, "name": name, **place, **more}


def failed(name: str, **more: Any) -> dict[str, Any]:
    bad = {"status": "failed", "role": "root", "recovered": False, "silent": False, "severity": "high"}
    return step(name, **{**bad, **more})


def sides(this: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    pairs = align(operations(this), operations(other))
    return [(a.row["name"] if a else None, b.row["name"] if b else None) for _, a, b in pairs]


def told(this: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]], *, same_input: bool = False) -> str:
    return "".join(said(align(operations(this), operations(other)), same_input=same_input))


def test_extra_and_missing_steps_stand_alone() -> None:
    """What only one run did has no partner; all else stays aligned around it."""
    this = [step("a"), step("b"), step("x"), step("d")]
    other = [step("a"), step("b"), step("c"), step("d"), step("e")]
    assert sides(this, other) == [("a", "a"), ("b", "b"), (None, "c"), ("x", None), ("d", "d"), (None, "e")]


def test_the_chain_is_aligned_first_and_then_what_lies_within() -> None:
    """A step pairs with its like under the partner of its parent only."""
    this = [step("a"), step("llm", "None/a"), step("b"), step("tool", "None/b")]
    other = [step("a"), step("tool", "None/a"), step("b"), step("tool", "None/b")]
    assert sides(this, other) == [("a", "a"), (None, "tool"), ("llm", None), ("b", "b"), ("tool", "tool")]


def test_a_loop_pairs_the_visits_that_went_alike() -> None:
    """Of three visits against two the failed one is the extra one."""
    this = [step("a"), failed("a", span_id="2"), step("a", span_id="3"), step("end")]
    other = [step("a"), step("a", span_id="2"), step("end")]
    pairs = align(operations(this), operations(other))
    assert [pair.changed for pair in pairs] == [(), ("extra",), (), ()]


def test_what_lies_below_earlier_tries_is_told_by_the_number_of_tries() -> None:
    """An operation is compared by what its last try did."""
    this = [step("a", tries=2, span_id="second"), step("llm", "first"), step("llm", "second")]
    assert sides(this, [step("a"), step("llm", "None/a")]) == [("a", "a"), ("llm", "llm")]
    assert (
        told(this, [step("a"), step("llm", "None/a")])
        == "At the beginning, a took 2 tries here and one try in the good run."
    )


def test_which_of_two_parallel_steps_began_first_is_no_difference() -> None:
    """Steps that ran at once pair by name."""
    at_once: list[dict[str, Any]] = [{"start_ns": 10, "end_ns": 30}, {"start_ns": 11, "end_ns": 20}]
    this = [step("a"), *(step(name, **time) for name, time in zip("bc", at_once, strict=True))]
    other = [step("a"), *(step(name, **time) for name, time in zip("cb", at_once, strict=True))]
    assert sides(this, other) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_the_first_difference_is_said_where_it_lies_deepest() -> None:
    """A step that failed because of one within points at that one, and is not counted among what is alike."""
    bad: dict[str, Any] = {
        "status": "failed",
        "role": "propagated",
        "recovered": False,
        "silent": False,
        "severity": "high",
    }
    this = [step("a"), step("b", **bad), failed("query", parent="None/b", tries=3)]
    other = [step("a"), step("b"), step("query", "None/b"), step("c")]
    assert told(this, other) == "After one step alike, query failed (3 tries) here and was fine in the good run."


def test_a_way_not_taken_is_said() -> None:
    """Extra and missing steps are differences too."""
    assert told([step("a"), step("c")], [step("a"), step("b"), step("c")]) == (
        "After one step alike, the good run went to b, which this run never did there."
    )
    assert told([step("a")], []) == "At the beginning, this run went to a, which the good run did not there."


def test_outputs_count_only_between_runs_of_the_same_input() -> None:
    """Runs of different inputs differ everywhere; that is no finding."""
    this, other = [step("a", output_hash=1)], [step("a", output_hash=2)]
    assert told(this, other).startswith("Step by step both runs are alike, though their inputs differ: ")
    assert told(this, other, same_input=True) == (
        "At the beginning, a had another output than in the good run, though both runs began with the same input."
    )


def test_runs_of_unknown_outputs_do_not_differ_in_them() -> None:
    """Not recorded is not different."""
    assert [pair.changed for pair in align(operations([step("a", output_hash=1)]), operations([step("a")]))] == [()]


@settings(max_examples=150, deadline=None)
@given(some.lists(some.sampled_from("abc"), max_size=9), some.lists(some.sampled_from("abc"), max_size=9))
def test_every_step_of_both_runs_stands_once_and_in_order(this: list[str], other: list[str]) -> None:
    """Alignment loses nothing, repeats nothing, pairs only what is alike, and pairs a run with itself whole."""
    one, two = ([step(name, span_id=str(at)) for at, name in enumerate(names)] for names in (this, other))
    found = sides(one, two)
    assert [a for a, _ in found if a] == this
    assert [b for _, b in found if b] == other
    assert all(a == b for a, b in found if a and b)
    assert sides(one, one) == [(name, name) for name in this]
