"""The change of R, split over what changed: it adds up, and names the right cause."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.attribution import Attribution, attribute
from dashboard.analytics.reliability import Chain, chain_of, compounded
from tests.dashboard.reliability.chains import edge, group, node, straight

EXACT = 1e-9


def split(before: Chain, after: Chain, *, version_changed: bool = False) -> Attribution:
    found = attribute(before, after, version_changed=version_changed)
    assert found is not None
    assert sum(part.points for part in found.parts) / 100 == pytest.approx(found.after - found.before, abs=EXACT)
    assert found.before == pytest.approx(compounded(before).value, abs=1e-12)
    assert found.after == pytest.approx(compounded(after).value, abs=1e-12)
    return found


def told(found: Attribution) -> dict[str, float]:
    return {part.label: pytest.approx(part.points, abs=EXACT) for part in found.parts}


def random_chain(random: Random, names: list[str]) -> Chain:
    rows = [node(n, 1000, random.choice([0, 300, 900, 970, 1000]), kind=random.choice(["tool", "llm"])) for n in names]
    edges = [edge(None, random.choice(names), 1000)]
    for row in rows:
        if row["good"] and random.random() < 0.9:
            ways = [*random.sample(names, random.randint(0, min(3, len(names)))), "end"][: random.randint(1, 4)]
            edges += [edge(row["node"], way, random.randint(1, 500)) for way in ways]
    return chain_of(rows, edges)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9), steps=st.integers(1, 7))
def test_it_adds_up_whatever_the_graphs_are(seed: int, steps: int) -> None:
    """Branches, loops, dead ends, steps that come and go: the parts make the difference to 1e-9."""
    random = Random(seed)
    names = [f"s{i}" for i in range(steps + 2)]
    two = [random_chain(random, sorted(random.sample(names, steps))) for _ in range(2)]
    split(*two, version_changed=random.random() < 0.5)


def test_one_step_that_got_worse_is_all_of_it() -> None:
    """What did not change gets nothing."""
    found = split(straight([0.97, 0.99, 0.95], [1000] * 3), straight([0.97, 0.90, 0.95], [1000] * 3))
    assert told(found) == {"s1": 100 * 0.97 * 0.95 * (0.90 - 0.99)}
    assert [(part.step, part.kind, part.step_kind) for part in found.parts] == [("s1", "reliability", "tool")]


def test_two_steps_share_their_common_part_evenly() -> None:
    """.9·.9 → .8·.8: along the straight line each is worth the same."""
    found = split(straight([0.9, 0.9], [100] * 2), straight([0.8, 0.8], [100] * 2))
    assert told(found) == {"s0": -8.5, "s1": -8.5}


def branch(to_b: int) -> Chain:
    """a (1.0) → b (.5) or end."""
    rows = [node("a", 100, 100), *([node("b", 100, 50)] if to_b else [])]
    ways = [edge("a", "b", to_b), edge("b", "end", 50)] if to_b else []
    return chain_of(rows, [edge(None, "a", 100), edge("a", "end", 100 - to_b), *ways])


def test_more_runs_on_the_worse_branch_are_routing() -> None:
    """No step changed: after a, runs go to b more often."""
    found = split(branch(20), branch(60))
    assert told(found) == {"routing after a": -20.0}


def test_a_step_that_came_is_a_path_at_the_one_before() -> None:
    """b did not exist: going there cost what it cost, at a."""
    found = split(branch(0), branch(60))
    assert told(found) == {"path: b added": -30.0}
    assert (found.parts[0].step, found.parts[0].kind) == ("a", "path")
    assert told(split(branch(60), branch(0))) == {"path: b removed": 30.0}


def test_a_rare_new_step_does_not_take_the_blame_for_other_routes() -> None:
    """Known routes that shifted stay routing beside a path that came."""

    def chain(b: int, c: int, new: int) -> Chain:
        rows = [node("a", 1000, 1000), node("b", 500, 250), node("c", 500, 450), node("new", new, new)]
        ways = [edge("a", "b", b), edge("a", "c", c), edge("a", "new", new)]
        return chain_of(
            rows,
            [edge(None, "a", 1000), *ways, *(edge(n, "end", k) for n, k in (("b", 250), ("c", 450), ("new", new)))],
        )

    only_path = split(chain(500, 500, 0), chain(495, 495, 10))
    assert told(only_path) == {"path: new added": 100 * 0.01 * (1 - 0.7)}
    both = {part.label: part.points for part in split(chain(500, 500, 0), chain(895, 95, 10)).parts}
    assert both["routing after a"] == pytest.approx(-16, abs=0.5)
    assert both["path: new added"] == pytest.approx(0.4, abs=0.2)


def test_a_renamed_step_keeps_its_history_where_a_version_changed() -> None:
    """Same kind, same neighbours, a new version: one step that got better, not one gone and one come."""
    before = straight([0.9, 0.9, 0.9], [100] * 3)
    rows = [node("s0", 100, 90), node("look_up", 100, 95), node("s2", 100, 90)]
    ways = [edge(None, "s0", 100), edge("s0", "look_up", 90), edge("look_up", "s2", 95), edge("s2", "end", 90)]
    after = chain_of(rows, ways)
    found = split(before, after, version_changed=True)
    assert found.renamed == {"s1": "look_up"}
    assert told(found) == {"look_up (was s1)": 100 * 0.81 * 0.05}
    assert {part.kind for part in split(before, after).parts} == {"path"}


def test_a_row_of_renamed_steps_is_matched_from_its_ends() -> None:
    """Each match makes a neighbour known for the next."""
    before = straight([0.9] * 4, [100] * 4)
    names = ["n0", "n1", "n2", "n3"]
    rows = [node(name, 100, 90) for name in names]
    after = chain_of(rows, [edge(a, b, 90) for a, b in zip([None, *names], [*names, "end"], strict=True)])
    found = split(before, after, version_changed=True)
    assert found.renamed == {"s0": "n0", "s1": "n1", "s2": "n2", "s3": "n3"}
    assert found.parts == ()


def test_a_doubtful_rename_is_none() -> None:
    """Two new steps in the place of one: neither is it."""
    before = straight([0.9, 0.9, 0.9], [100] * 3)
    rows = [node("s0", 100, 90), node("x", 50, 45), node("y", 50, 45), node("s2", 100, 90)]
    ways = [edge("s0", "x", 45), edge("s0", "y", 45), edge("x", "s2", 45), edge("y", "s2", 45)]
    after = chain_of(rows, [edge(None, "s0", 100), *ways, edge("s2", "end", 90)])
    assert split(before, after, version_changed=True).renamed == {}


def test_members_of_a_parallel_group_are_told_apart() -> None:
    """Only the member that changed is named."""
    ways = [edge(None, "a ‖ b", 100), edge("a ‖ b", "end", 50)]
    before = chain_of(group(node("a", 100, 90), node("b", 100, 80)), ways)
    after = chain_of(group(node("a", 100, 90), node("b", 100, 60)), ways)
    assert told(split(before, after)) == {"b": -18.0}


def test_a_window_without_runs_has_no_split() -> None:
    """Nothing to compare with."""
    assert attribute(chain_of([], []), straight([0.9], [10])) is None
