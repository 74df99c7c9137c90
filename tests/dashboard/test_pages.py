"""Every page and every state it can be in."""

import re
from datetime import UTC
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import store
from dashboard.components.text import safe
from dashboard.words import moment
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.big import big_run
from tests.dashboard.drifting import drifting
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import component, data_dir, healthy, open_page, words


def newest(path: Path, outcome: str) -> str:
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute("select run_id from run where outcome = ? order by start_ns desc", [outcome]).fetchall()
    return str(rows[0][0])


def diagnosis(page: AppTest) -> str:
    """The paragraph on top of the Run page."""
    sentences = component(page, "diagnosis")["sentences"]
    return " ".join("".join(text for text, *_ in sentence["parts"]) for sentence in sentences)


class TestOverview:
    def test_says_what_the_worst_workflow_delivers_and_how_many_failed_where(self, lively: Path) -> None:
        """The first line holds the workflow, its figure and band; the second the runs hit, the place and the time."""
        page = open_page("overview")
        assert healthy(page)
        assert " delivers " in page.subheader[0].value
        worst = component(page, "overview_workflows")["rows"][0]["workflow"]
        assert page.subheader[0].value.startswith(f"**{safe(worst)}**")
        said = words(page)
        assert " finished runs failed in the last hour (" in said
        assert re.search(r"Most broke at \*\*.+: \d+ runs?(?: since .+|, the last .+ ago)\.", said)

    def test_figures_come_with_band_change_and_count_and_open_their_page(self, lively: Path) -> None:
        """No figure stands alone, and each leads on."""
        figures = {figure["name"]: figure for figure in component(open_page("overview"), "overview_figures")}
        assert list(figures) == ["r", "e", "f", "silent", "amplification", "p95"]
        assert [figure["page"] for figure in figures.values()] == [
            "steps",
            "runs",
            "steps",
            "runs",
            "retries",
            "runs",
        ]
        assert all(figure["opens"] is not None for figure in figures.values())
        assert all("n " in figure["note"] for figure in figures.values())
        assert "with a verdict" in figures["e"]["note"]
        assert any(share is not None for share in figures["e"]["line"])

    def test_where_runs_went_adds_up_and_leads_to_them(self, lively: Path) -> None:
        """The parts of the bar are 100 % on screen; the runs behind one are as many as it says."""
        page = open_page("overview", window="6h")
        parts = component(page, "overview_losses")["parts"]
        assert sum(float(part["said"].removesuffix(" %")) for part in parts) == pytest.approx(100)
        lost = sum(int(row["lost"]["text"]) for row in component(page, "overview_workflows")["rows"])
        behind = open_page("runs", window="6h", state=["failed", "silent"])
        assert len(component(behind, "runs_list")["rows"]) == lost

    def test_workflows_come_worst_first_and_lead_to_their_steps(self, lively: Path) -> None:
        """Ordered by R, each row with its band, its runs and its course."""
        rows = component(open_page("overview", window="6h"), "overview_workflows")["rows"]
        figures = [float(row["r"][0].removesuffix(" %")) for row in rows if isinstance(row["r"], list)]
        assert figures == sorted(figures)
        assert all(row["page"] == "steps" and row["params"] == {"workflow": row["workflow"]} for row in rows)
        assert all(any(share is not None for share in row["course"]) for row in rows)

    def test_a_day_and_more_shows_r_e_and_f_over_time(self, lively: Path) -> None:
        """Lines with bands that hold them; shorter windows show runs over time in their place."""
        lines = {
            line["name"]: line for line in component(open_page("overview", window="24h"), "overview_course")["lines"]
        }
        assert list(lines) == ["R", "E", "F"]
        assert all(low <= value <= high for line in lines.values() for _, value, low, high, _ in line["points"])
        assert component(open_page("overview", window="1h"), "overview_runs")["title"] == "Runs"

    def test_a_fall_that_is_news_stands_in_the_first_line(self, tmp_path: Path, now_ns: int) -> None:
        """Since when, from and to what level of E, and what did it; the day is marked in the chart."""
        stores.write(store_path(tmp_path), [drifting(now_ns, worse_for=8)])
        with data_dir(tmp_path):
            page = open_page("overview", window="28d")
            assert healthy(page)
            assert " of its runs through, down from " in page.subheader[0].value
            assert "**ledger\\.query**" in page.subheader[0].value
            assert {sign["kind"] for sign in component(page, "overview_course")["signs"]} >= {"change"}

    def test_newest_runs_come_newest_first(self, lively: Path) -> None:
        """The list is ordered by the start of the runs."""
        rows = component(open_page("overview"), "overview_newest")["rows"]
        began = [row["started"] for row in rows]
        assert len(rows) == 8
        assert began == sorted(began, reverse=True)

    def test_equal_troubles_are_one_row_that_leads_to_their_runs(self, lively: Path) -> None:
        """Each kind once, the one that happened last first; the Runs page finds as many, the newest on top."""
        rows = component(open_page("overview", window="6h"), "overview_bad_runs")["rows"]
        kinds = [(row["workflow"], row["state"], row["where"], row["code"]) for row in rows]
        assert len(set(kinds)) == len(kinds) > 1
        began = [row["started"] for row in rows]
        assert began == sorted(began, reverse=True)
        several = next(row for row in rows if row["same"])
        found = component(open_page("runs", window="6h", **several["same"]), "runs_list")["rows"]
        assert len(found) == int(several["runs"]) > 1
        assert found[0]["id"] == several["id"]

    def test_the_balance_of_spans_is_on_screen(self, lively: Path) -> None:
        """Received, stored, duplicate and rejected stand with their numbers, and with why."""
        said = words(open_page("overview", window="6h"))
        assert "spans received = " in said
        assert "11 log records received = 4 stored + 0 duplicate + 7 rejected" in said
        assert "7 log records refused: only evaluation results and exceptions are taken as logs" in said
        assert "adds up" in said
        assert "span id is not 8 non\\-zero bytes" in said
        assert "request could not be decoded" in said

    def test_runs_that_are_counted_anew_show_in_the_sidebar(self, tmp_path: Path, now_ns: int) -> None:
        """While roll-ups are made again, how far back they reach is said: older runs are in no chart yet."""
        stores.write(store_path(tmp_path), [lively_runs(now_ns, runs=12)])
        state = f'{{"version": 2, "start_ns": {now_ns}, "run_id": "a", "waiting": []}}'
        with data_dir(tmp_path):
            assert "counted anew" not in words(open_page("connect"))
            with duckdb.connect(str(store_path(tmp_path))) as con:
                con.execute("insert or replace into store.meta values ('rollups', ?)", [state])
        with data_dir(tmp_path):
            said = words(open_page("connect"))
            assert f"counted anew, newest first: so far those since {moment(now_ns, UTC)}" in said

    def test_new_rules_on_their_way_through_history_show_in_the_sidebar(self, tmp_path: Path, now_ns: int) -> None:
        """Until they are through, older runs show what earlier rules said: the reader is told."""
        path = stores.write(store_path(tmp_path), [lively_runs(now_ns, 5)])
        state = '{"rules": "2+ab", "before_ns": 1, "trace_id": "", "done": 1200, "total": 5000}'
        with duckdb.connect(str(path)) as con:
            con.execute("insert into store.meta values ('resettling', ?)", [state])
        with data_dir(tmp_path):
            assert "1,200 of 5,000 traces" in words(open_page("overview"))

    def test_a_workflow_narrows_everything(self, lively: Path) -> None:
        """A filter of the sidebar holds for figures and lists."""
        page = open_page("overview", workflow="lead_enrich")
        assert {row["workflow"] for row in component(page, "overview_newest")["rows"]} == {"lead_enrich"}

    def test_an_empty_store_says_what_to_do(self, empty: Path) -> None:
        """Nothing has arrived: the page tells how to send, and how to look around."""
        page = open_page("overview")
        assert healthy(page)
        assert "Nothing has arrived yet" in words(page)
        assert "seamscope demo" in [code.value for code in page.code]


class TestFailures:
    def test_roots_are_counted_and_their_ends_add_up(self, lively: Path) -> None:
        """Not handled, silent and recovered are all of them; each leads to its runs."""
        page = open_page("failures", window="6h")
        assert healthy(page)
        figures = {figure["name"]: figure for figure in component(page, "failures_figures")}
        parts = [int(figures[name]["value"]) for name in ("loud", "silent", "recovered")]
        assert sum(parts) == int(figures["failures"]["value"]) > 0
        assert figures["silent"]["opens"] == {"known": "observed", "fate": "silent"}
        assert " observed failures hit " in page.subheader[0].value

    @pytest.mark.parametrize(("lens", "layer"), [("A", "tool"), ("B", "recovery")])
    def test_the_lens_cuts_chart_map_and_table(self, lively: Path, lens: str, layer: str) -> None:
        """One layer in all three, in the colour it has everywhere."""
        page = open_page("failures", window="6h", lens=lens)
        series = {each["name"]: each["total"] for each in component(page, "failures_time")["series"]}
        heat = component(page, "failures_heat")
        code = component(page, "failures_codes")["rows"][0]
        at = [mark["name"] for mark in heat["columns"]].index(layer)
        assert series[layer] == sum(row["cells"][at] for row in heat["rows"]) == int(code["failures"])
        assert code["layer"] == heat["columns"][at]

    def test_every_mark_leads_to_as_many_runs_as_it_says(self, lively: Path) -> None:
        """Rows of the map, codes and fates, followed to the Runs page."""
        page = open_page("failures", window="6h")
        row = component(page, "failures_heat")["rows"][0]
        figures = {figure["name"]: figure for figure in component(page, "failures_figures")}
        code = component(page, "failures_codes")["rows"][0]
        for params, runs in (
            (row["params"], sum(row["cells"])),
            (row["params"] | {"layer": "tool"}, sum(row["cells"])),
            (figures["silent"]["opens"], int(figures["silent"]["value"])),
            (code["params"], int(code["runs"])),
        ):
            found = open_page("runs", window="6h", **params)
            assert healthy(found)
            assert len(component(found, "runs_list")["rows"]) == runs

    def test_the_newest_lead_to_their_span(self, lively: Path) -> None:
        """An example opens its run where it failed."""
        row = component(open_page("failures", window="6h"), "failures_newest")["rows"][0]
        assert component(open_page("run", **row["params"]), "waterfall")["selected"] == row["params"]["span"]

    def test_certainties_are_kept_apart(self, lively: Path) -> None:
        """Nothing inferred: the page says so, since when, and what is counted apart."""
        page = open_page("failures", window="6h", certainty="inferred")
        assert healthy(page)
        assert page.subheader[0].value.startswith("No inferred failure in 240 runs")
        assert "never added up: 32 observed" in words(page)

    def test_without_failures_it_tells_of_the_last_one(self, lively: Path) -> None:
        """As usual since when."""
        page = open_page("failures", from_="2020-01-01T00:00:00Z", to="2020-01-01T01:00:00Z")
        assert healthy(page)
        assert page.subheader[0].value.startswith("No runs")

    def test_unclassified_errors_are_a_backlog_with_rules_to_start_from(self, tmp_path: Path, now_ns: int) -> None:
        """Class, scope, count, a way to the runs, and TOML that is valid."""
        filling = lively_runs(now_ns)
        for failure in filling.tables["failure"]:
            failure |= {"code": "unclassified", "layer_a": "unclassified", "error_type": "LedgerLocked"}
        stores.write(store_path(tmp_path), [filling])
        with data_dir(tmp_path):
            page = open_page("failures", window="6h")
            row = component(page, "failures_backlog")["rows"][0]
            assert healthy(page)
            assert (row["error"], row["scope"]) == ("LedgerLocked", "openinference.instrumentation")
            assert row["params"] == {"code": "unclassified", "error": "LedgerLocked"}
            assert 'exception = "LedgerLocked"' in page.code[0].value
            found = component(open_page("runs", window="6h", **row["params"]), "runs_list")["rows"]
        assert len(found) == 32

    def test_an_empty_store_says_what_to_do(self, empty: Path) -> None:
        """Nothing has arrived."""
        assert "Nothing has arrived yet" in words(open_page("failures"))


class TestFailureChips:
    def test_chips_show_the_filters_and_take_them_away(self, lively: Path) -> None:
        """Each filter of the URL has a chip; a click widens the list and leaves the others."""
        page = open_page("runs", window="6h", code="tool.timeout", step="Writer")
        few = len(component(page, "runs_list")["rows"])
        page.button(key="runs_without_step").click().run()
        assert len(component(page, "runs_list")["rows"]) > few
        assert "step" not in page.query_params
        assert page.query_params["code"] == "tool.timeout"

    def test_text_and_failure_hold_together(self, lively: Path) -> None:
        """A run must have both."""
        page = open_page("runs", window="6h", code="tool.timeout", text="refund_triage", state="silent")
        rows = component(page, "runs_list")["rows"]
        assert rows
        assert {(row["state"], row["workflow"]) for row in rows} == {("silent", "refund_triage")}


class TestRuns:
    def test_finds_by_outcome(self, lively: Path) -> None:
        """Only runs of the chosen outcomes are listed."""
        rows = component(open_page("runs", window="6h", state=["failed", "silent"]), "runs_list")["rows"]
        assert {row["state"] for row in rows} == {"failed", "silent"}

    @pytest.mark.parametrize(("text", "column"), [("TIMEOUT", None), ("s-12", "session"), ("ledger.query", None)])
    def test_finds_by_text(self, lively: Path, text: str, column: str | None) -> None:
        """Session, step names and error texts are searched, whatever their case."""
        rows = component(open_page("runs", window="6h", text=text), "runs_list")["rows"]
        assert rows
        assert column is None or all(text in row[column] for row in rows)

    def test_finds_by_the_beginning_of_an_id(self, lively: Path) -> None:
        """A pasted piece of an id is enough."""
        run_id = newest(lively, "failed")
        rows = component(open_page("runs", window="6h", text=run_id[:9]), "runs_list")["rows"]
        assert [row["id"] for row in rows] == [run_id]

    def test_pages_are_disjoint_and_complete(self, lively: Path) -> None:
        """Going older page by page meets every run once; going newer leads back."""
        page = open_page("runs", window="6h")
        met: list[list[str]] = [[row["id"] for row in component(page, "runs_list")["rows"]]]
        for _ in range(10):
            if page.button(key="runs_older").disabled:
                break
            page.button(key="runs_older").click().run()
            met.append([row["id"] for row in component(page, "runs_list")["rows"]])
        ids = [run_id for ids in met for run_id in ids]
        assert len(ids) == len(set(ids)) == 240
        page.button(key="runs_newer").click().run()
        assert [row["id"] for row in component(page, "runs_list")["rows"]] == met[-2]

    def test_no_match_says_so(self, lively: Path) -> None:
        """Filters that leave nothing leave a hint."""
        page = open_page("runs", text="no such text anywhere")
        assert healthy(page)
        assert "No run matches" in words(page)

    def test_the_count_is_shown(self, lively: Path) -> None:
        """The chart's title counts all that match, not those on the page."""
        assert component(open_page("runs", window="6h"), "runs_time")["title"] == "240 runs in the last 6 hours"


class TestRun:
    def test_a_step_says_what_its_tries_rest_on(self, lively: Path) -> None:
        """Later tries are numbered; a run without hidden or repeated ones says nothing of them."""
        rows = component(open_page("run", run=newest(lively, "recovered")), "waterfall")["rows"]
        assert any(part["told"].startswith("try 2: ") for row in rows for part in row.get("segments", []))
        assert not any("tries in" in row.get("note", "") for row in rows)

    def test_the_critical_path_is_marked_on_demand(self, lively: Path) -> None:
        """Off at first; on, the steps that the end of the run waited for say how long."""
        run_id = newest(lively, "clean")
        plain = component(open_page("run", run=run_id), "waterfall")["rows"]
        marked = component(open_page("run", run=run_id, critical="true"), "waterfall")["rows"]
        assert not any(row["critical"] for row in plain)
        assert any(row["critical"].startswith("the end of the run waited ") for row in marked)

    @pytest.mark.parametrize("outcome", ["clean", "recovered", "silent", "failed", "pending"])
    def test_every_outcome_shows(self, lively: Path, outcome: str) -> None:
        """The header names the outcome, and what failed is explained where something did."""
        page = open_page("run", run=newest(lively, outcome))
        assert healthy(page)
        assert f"{outcome}]" in page.subheader[0].value
        explained = {
            "recovered": "recovered from it",
            "silent": "nothing at the top",
            "failed": "the run failed",
            "pending": "waits for a human",
            "clean": "",
        }[outcome]
        assert explained in (diagnosis(page) if outcome != "clean" else "")

    def test_a_trace_id_opens_its_run(self, lively: Path) -> None:
        """Any trace of a run leads to it; upper case is forgiven."""
        page = open_page("run", run=newest(lively, "failed").upper())
        assert "failed]" in page.subheader[0].value

    def test_waterfall_is_nested_and_selects_the_origin(self, lively: Path) -> None:
        """Steps keep their depth, failed ones are marked, and the failure's origin is what the inspector shows."""
        run_id = newest(lively, "failed")
        data = component(open_page("run", run=run_id), "waterfall")
        with duckdb.connect(str(lively), read_only=True) as con:
            rows = con.execute("select origin_span_id from run where run_id = ?", [run_id]).fetchall()
        assert data["selected"] == rows[0][0]
        assert {row["depth"] for row in data["rows"]} == {0, 1}
        assert {row["mark"] for row in data["rows"] if row["id"] == data["selected"]} == {"failed"}
        assert all(0 <= row["from"] <= row["from"] + row["width"] <= 1.000001 for row in data["rows"])

    def test_all_spans_adds_the_wrappers(self, lively: Path) -> None:
        """The workflow span is no step, and appears on demand."""
        run_id = newest(lively, "clean")
        steps = component(open_page("run", run=run_id), "waterfall")["rows"]
        spans = component(open_page("run", run=run_id, spans="true"), "waterfall")["rows"]
        assert len(spans) == len(steps) + 1
        assert spans[0]["kind"] == "workflow"

    def test_judgements_stand_with_who_says_so_and_which_decide(self, lively: Path) -> None:
        """Those that decide the run's verdict first; each leads to what was judged. Nobody judged: no table."""
        with duckdb.connect(str(lively), read_only=True) as con:
            judged = "select run_id from run where verdict = 'pass' and origin_span_id is not null order by start_ns"
            run_id = str(con.execute(judged).fetchall()[0][0])
        first, second = component(open_page("run", run=run_id), "run_verdicts")["rows"]
        assert (first["verdict"], first["name"], first["on"], first["decides"]) == (
            "✓ pass",
            "accepted",
            "the run",
            "yes",
        )
        assert (second["verdict"], second["by"], second["decides"]) == ("✗ fail", "support desk", "no")
        assert (second["below"], "span" in second["params"]) == ("read by a person", True)

    def test_what_logs_said_of_a_span_stands_beside_its_events(self, lively: Path) -> None:
        page = open_page("run", run=newest(lively, "failed"), tab="Events")
        assert "sent as a log record" in words(page)
        assert any(text.value.startswith("app.exception") for text in page.text)

    @pytest.mark.parametrize("tab", ["Messages", "Input", "Output", "Attributes", "Events", "Links", "Raw"])
    def test_every_tab_of_the_inspector_opens_by_link(self, lively: Path, tab: str) -> None:
        """The tab stands in the URL."""
        page = open_page("run", run=newest(lively, "failed"), tab=tab)
        assert healthy(page)
        assert page.query_params.get("tab", "Messages") == tab

    def test_time_of_failed_tries_says_that_it_is_their_own(self, lively: Path) -> None:
        """What they cost, told above it, holds what ran inside them; of shares that add up that is another part."""
        said = words(open_page("run", run=newest(lively, "failed")))
        assert re.search(r"Time went to .* of it failed tries' own, without what ran inside them", said)

    def test_where_time_went_is_a_chart(self, lively: Path) -> None:
        """The view is a link as well."""
        page = open_page("run", run=newest(lively, "failed"), view="Where time went")
        assert healthy(page)
        assert len(page.get("plotly_chart")) == 1

    def test_failures_show_their_evidence(self, lively: Path) -> None:
        """Each occurrence stands with step, code, layer through the lens, and evidence, and leads to its span."""
        run_id = newest(lively, "failed")
        first = component(open_page("run", run=run_id, view="Failures", lens="B"), "run_failures")["rows"][0]
        assert (first["code"], first["layer"]["name"], first["role"]) == ("tool.timeout", "recovery", "root")
        assert first["below"].startswith("status ERROR, TimeoutError")
        assert first["page"] == "run"
        assert first["params"]["run"] == run_id

    def test_the_diagnosis_leads_to_its_spans(self, lively: Path) -> None:
        """Every sentence names a span of the run, also one that lies in a folded try."""
        run_id = newest(lively, "silent")
        page = open_page("run", run=run_id)
        with duckdb.connect(str(lively), read_only=True) as con:
            rows = con.execute("select span_id from span where trace_id = ?", [run_id]).fetchall()
        spans = {span_id for (span_id,) in rows}
        assert {sentence["span"] for sentence in component(page, "diagnosis")["sentences"]} <= spans

    def test_an_unknown_run_keeps_looking(self, lively: Path) -> None:
        """A run that is not there (yet) is a state of the page, not an error."""
        page = open_page("run", run="0" * 32)
        assert healthy(page)
        assert "No such run" in words(page)

    def test_without_an_id_it_offers_the_newest(self, lively: Path) -> None:
        """The page is usable from the navigation."""
        page = open_page("run")
        assert "Which run?" in words(page)
        assert len(component(page, "run_choice")["rows"]) == 10

    def test_fifty_thousand_steps_fold(self, tmp_path: Path, now_ns: int) -> None:
        """A huge run shows a few hundred lines and says how many there are; opening a fold brings more of it."""
        filling, run_id = big_run(now_ns, 50_000)
        stores.write(store_path(tmp_path), [filling])
        with data_dir(tmp_path):
            data = component(open_page("run", run=run_id), "waterfall")
            folded = [row for row in data["rows"] if "fold" in row]
            shown = len(data["rows"]) - len(folded)
            stand_for = sum(int(row["name"].split()[0].replace(",", "")) for row in folded)
            assert shown <= 300
            assert stand_for + shown == 50_000
            assert data["heading"] == f"shows {shown} of 50,000 steps"
            more = component(open_page("run", run=run_id, open=f"{folded[0]['fold']}.300"), "waterfall")
            assert len(more["rows"]) == len(data["rows"]) + 300


class TestConnect:
    def test_every_recipe_is_ready_to_paste(self, lively: Path) -> None:
        """Each framework gets blocks that name the real endpoint."""
        page = open_page("connect")
        for name in page.selectbox(key="framework").options:
            page.selectbox(key="framework").set_value(name).run()
            assert healthy(page)
            blocks = "\n".join(code.value for code in page.code)
            assert "127.0.0.1:431" in blocks, name

    def test_without_a_collector_it_says_whose_ports_those_are(self, lively: Path) -> None:
        """Nothing listens there yet: they are what the settings say."""
        assert "no collector runs; one that is started with these settings listens there" in words(open_page("connect"))

    def test_what_has_arrived(self, lively: Path) -> None:
        """Scopes, dialects and counts of what was received."""
        rows = component(open_page("connect", window="6h"), "connect_arrived")["rows"]
        assert {row["dialect"] for row in rows} == {"openinference", "n8n", "openllmetry"}
        assert sum(int(row["spans"].replace(",", "")) for row in rows) > 1000

    def test_the_write_token_is_asked_for_but_not_shown(self, lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page must not give the token away."""
        monkeypatch.setenv("SEAMSCOPE_WRITE_TOKEN", "very-secret")
        store.settings.clear()  # read anew, here and by whoever comes next
        try:
            page = open_page("connect", framework="Pydantic AI")
        finally:
            store.settings.clear()
        blocks = "\n".join(code.value for code in page.code)
        assert "authorization=Bearer%20<write token>" in blocks
        assert "very-secret" not in blocks + words(page)
