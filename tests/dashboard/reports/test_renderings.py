"""The summary as HTML, Markdown, CSV and JSON."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboard.reports import words
from dashboard.reports.formats import RENDER
from schemas.reports import Verdicts, WeeklySummary
from tests.dashboard import summaries

HOSTILE = (
    "`|</title><script>alert(1)</script><img src=http://evil.test/x>![x](http://evil.test/y)\n=1+1\x1b[31m\u202e{{7*7}}"
)


def test_dependence_is_a_reason_only_where_its_band_excludes_0() -> None:
    """R and E part by it where failures gather or spread beyond chance; else it is what chance leaves over."""
    (workflow, *_) = summaries.lively().workflows
    less = workflow.observed.model_copy(update={"value": 0.7})
    workflow = workflow.model_copy(update={"observed": less})
    assert workflow.parting is not None
    assert "−1.8 because failures do not fall independently. Failures gather" in words.parting(workflow)
    within = workflow.parting.model_copy(update={"dependence": 0.0, "dependence_low": -0.01, "dependence_high": 0.01})
    said = words.parting(workflow.model_copy(update={"parting": within}))
    assert said.endswith("0.0 left over, which chance explains.")


def text_of(form: str, summary: WeeklySummary) -> str:
    return RENDER[form](summary).decode()


class Elements(HTMLParser):
    """What an HTML parser sees: elements with their attributes, and the text between them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("form", RENDER)
def test_the_same_summary_gives_the_same_bytes(form: str) -> None:
    assert RENDER[form](summaries.lively()) == RENDER[form](summaries.lively())


@pytest.mark.parametrize("form", RENDER)
def test_removed_runs_are_told_in_every_format(form: str) -> None:
    """As a note on top where there is a top, and beside what they are missing from."""
    rendered = text_of(form, summaries.thinned())
    assert "25 runs that began" in rendered
    assert {"csv": '"runs_removed","25"', "json": '"runs_removed": 25'}.get(
        form, "25 runs of its days (UTC) went"
    ) in rendered
    assert "of its days" not in text_of(form, summaries.lively())


class TestHtml:
    def test_it_runs_nothing_and_fetches_nothing(self) -> None:
        """No script, no address, no style but the one whose hash the policy names."""
        elements = Elements(text_of("html", summaries.lively(HOSTILE))).found
        assert {tag for tag, _ in elements}.isdisjoint({"script", "img", "link", "iframe", "object", "base", "use"})
        for _, attributes in elements:
            assert not {"style", "src", "srcset", "xlink:href"} & attributes.keys()
            assert not [name for name in attributes if name.startswith("on")]
            assert (attributes.get("href") or "#").startswith("#")
        policy = next(a["content"] for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy

    def test_hostile_names_are_text(self) -> None:
        """What a span says is read as it stands, and the title stays ours."""
        seen = Elements(text_of("html", summaries.lively(HOSTILE)))
        assert "<script>alert(1)</script>" in seen.text
        assert [tag for tag, _ in seen.found].count("title") == [
            tag for tag, _ in Elements(text_of("html", summaries.lively())).found
        ].count("title")
        assert "{{7*7}}" in seen.text

    def test_it_stays_below_2_mb_however_much_there_is(self) -> None:
        """500 workflows of 60 steps each."""
        many = summaries.summary(*(summaries.workflow(f"workflow {n:03}", steps=60) for n in range(500)))
        document = RENDER["html"](many)
        assert len(document) < 2_000_000
        assert b"the 40 workflows that lost most runs" in document
        assert b"workflow 499" in document

    def test_every_link_leads_to_a_section(self) -> None:
        elements = Elements(text_of("html", summaries.lively())).found
        anchors = {f"#{attributes['id']}" for _, attributes in elements if "id" in attributes}
        assert {a["href"] for tag, a in elements if tag == "a"} <= anchors

    def test_layers_differ_without_colour(self) -> None:
        """Each layer has a pattern of its own."""
        document = text_of("html", summaries.lively())
        patterns = re.findall(r'<pattern id="layer-(\w+)".*?<rect[^>]*/>(.*?)</pattern>', document)
        assert len({texture for _, texture in patterns}) == len(patterns) == 6

    def test_bars_add_up_to_all_finished_runs(self) -> None:
        """Where the finished runs went is 100 % of them, on screen and in the data."""
        from dashboard.reports.svg import segments

        for workflow in summaries.lively().workflows:
            assert sum(segment.share for segment in segments(workflow)) == pytest.approx(1, abs=1e-9)

    def test_few_runs_show_a_band_and_no_value(self) -> None:
        """Below the sample gate no share is shown without its doubt."""
        document = text_of("html", summaries.summary(summaries.few()))
        assert "too few for a value: between 55 and 95 %" in document
        assert not re.search(r'<dt>E, what users got</dt><dd class="value">\d', document)
        assert Elements(document).text.count("From 100 % down to R") == 0
        assert "Fix first" not in document
        percents = re.findall(r"[\d.]+ %", Elements(document).text.split("How this was measured")[0])
        assert set(percents) <= {"95 %", "0 %", "25 %", "50 %", "75 %", "100 %"}  # a band, and the marks of an axis
        assert 'p95 of a run</dt><dd class="value">≥ 13.6 s' in document

    def test_a_figure_goes_by_what_it_rests_on_itself(self) -> None:
        """Enough runs, but a step with few operations, few verdicts and a poor week before."""
        made = summaries.workflow(verdicts=Verdicts(passed=7, failed=2), verified=summaries.estimate(7, 9))
        rare = made.steps[0].model_copy(update={"operations": 12, "reliability": summaries.estimate(9, 12)})
        before = made.before
        assert before
        poor = before.model_copy(update={"finished": 9, "observed": summaries.estimate(6, 9)})
        made = made.model_copy(update={"steps": (rare, *made.steps[1:]), "before": poor})
        document = text_of("html", summaries.summary(made))
        assert '<td class="n">[46.8, 91.1]</td><td class="n">–</td><td class="n">–</td><td class="n">–</td>' in re.sub(
            r"\n\s*", "", document
        )
        assert "on the week before" not in document
        for form in ("html", "md"):
            said = "Judged from outside: 9 of 3,210 runs, of which 7 passed, [45.3, 93.7]."
            assert said in text_of(form, summaries.summary(made))

    def test_a_week_without_data_is_a_page_all_the_same(self) -> None:
        nothing = summaries.summary(notes=(summaries.Note(code="no_data", text="No run began in this week."),))
        document = text_of("html", nothing)
        assert "No run began in this week." in document
        assert "<table" not in document


class TestMarkdown:
    def test_hostile_names_stay_in_code(self) -> None:
        """Outside code spans nothing of a span is left: no mark-up, no address, no table cell."""
        rendered = text_of("md", summaries.lively(HOSTILE))
        outside = re.sub(r"`[^`]*`", "", rendered)
        for piece in ("evil", "script", "alert", "](", "\x1b", "\u202e", "1+1"):
            assert piece not in outside
        table = [line for line in rendered.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in table} == {8}

    def test_few_runs_show_bands_and_counts_alone(self) -> None:
        """No value, no fix, no stair below the gate."""
        rendered = text_of("md", summaries.summary(summaries.few())).split("\n---\n")[0]
        assert " %" not in rendered.replace("between 55 and 95 % of them", "")
        for word in ("Fix", "points of R", "would buy", "× 1.25"):
            assert word not in rendered
        assert "unclassified 1 of 12" in rendered
        assert "amplification [1.00, 1.51]" in rendered

    def test_a_storm_names_what_kind_of_thing_was_retried(self) -> None:
        """A node that wraps a tool of its name is not the same line twice."""
        storm = summaries.workflow().storms[0]
        both = (storm, storm.model_copy(update={"dimension": "step"}))
        rendered = text_of("md", summaries.summary(summaries.workflow(storms=both)))
        assert rendered.count("**Retry storm**: tool `ledger.query` ×") == 1
        assert rendered.count("**Retry storm**: `ledger.query` ×") == 1

    def test_it_is_short_enough_to_read(self) -> None:
        """A workflow takes some 20 lines however many steps it has."""
        rendered = text_of("md", summaries.summary(summaries.workflow(steps=60)))
        assert rendered.count("\n") < 40
        assert len(rendered) < 4_000


class TestCsv:
    def rows(self, summary: WeeklySummary) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(text_of("csv", summary), newline="")))

    def test_it_holds_every_number_of_the_json(self) -> None:
        """What can be read there can be filtered here."""
        summary = summaries.summary(summaries.workflow())
        told = {row[column] for row in self.rows(summary) for column in ("value", "low", "high", "n") if row[column]}

        def numbers(value: object) -> set[str]:
            if isinstance(value, dict):
                return set().union(*map(numbers, value.values()))
            if isinstance(value, list):
                return set().union(*map(numbers, value))
            return {str(value)} if isinstance(value, int | float) and not isinstance(value, bool) else set()

        assert numbers(json.loads(text_of("json", summary))["workflows"]) <= told

    def test_a_storm_says_what_it_was_of_when_it_ended_and_what_set_it_off(self) -> None:
        """Else two of one name and onset are one in a pivot."""
        told = {row["metric"]: row["value"] for row in self.rows(summaries.lively()) if row["section"] == "storms"}
        expected = {"dimension": "tool", "end": "2026-11-11T10:19:12Z", "trigger": "tool.timeout"}
        assert {name: told[name] for name in expected} == expected

    def test_no_cell_is_a_formula(self) -> None:
        """A spreadsheet shows names; it runs none."""
        summary = summaries.summary(summaries.workflow("=cmd()"), summaries.workflow("@x"), summaries.workflow("+1"))
        cells = [cell for row in self.rows(summary) for cell in row.values()]
        assert "'=cmd()" in cells
        assert not [cell for cell in cells if re.match(r"[=@+\t\r]", cell)]
        assert not [cell for cell in cells if cell.startswith("-") and not re.fullmatch(r"-[\d.e-]+", cell)]


class TestJson:
    def test_it_reads_back_as_the_same_summary(self) -> None:
        summary = summaries.lively(HOSTILE)
        assert WeeklySummary.model_validate_json(RENDER["json"](summary)) == summary

    def test_it_follows_the_published_schema(self) -> None:
        """A validator that knows nothing of us agrees."""
        from jsonschema import Draft202012Validator

        schema = json.loads((Path(__file__).parents[3] / "docs/reports.schema.json").read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(json.loads(RENDER["json"](summaries.lively())))

    def test_times_are_iso_8601_with_z(self) -> None:
        found = json.loads(RENDER["json"](summaries.lively()))
        assert (found["start"], found["end"]) == ("2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z")
