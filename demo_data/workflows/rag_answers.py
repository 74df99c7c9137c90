"""rag_answers: a straight LangChain chain, seen by OpenInference: condense → retrieve → rerank → answer → cite."""

import json
from functools import partial
from typing import Any

from demo_data import words
from demo_data.dialects import openinference as oi
from demo_data.errors import Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.models import Reply, reply
from demo_data.plan import Case, PlannedSpan, Raised, RunPlan, Script, Service
from demo_data.verdicts import evaluate

NAME = "rag_answers"
MODEL = "gpt-4o-mini-2024-07-18"
MAX_TRIES = 3

Documents = list[tuple[str, str, float]]


def plan(case: Case) -> RunPlan:
    """One question, answered from the manual."""
    return _Chain(case).run()


class _Chain:
    """One run of the chain."""

    def __init__(self, case: Case) -> None:
        self.fault = case.fault
        self.script = Script(case, NAME, Service("docs-answers", case.version, case.environment))
        self.rng = self.script.rng
        self.question = self.rng.choice(words.QUESTIONS)
        self.session: dict[str, Any] = {
            "session_id": f"d-{self.script.hex(8)}",
            "user_id": f"u-{self.rng.randrange(1, 900)}",
        }

    def run(self) -> RunPlan:
        """Play the chain; what leaves it has failed the run."""
        try:
            with self._chain(NAME, {"question": self.question}) as root:
                oi.finish_chain(root, self._steps())
                evaluate(self.script, root, "faithfulness")
        except Raised as error:
            self.script.blame(error.origin, Variant.LOUD)
        return self.script.finish()

    def _chain(self, name: str, given: Any) -> Any:
        self.script.wait(1)
        return self.script.span(name, oi.SCOPE, oi.chain(self.session, given))

    def _steps(self) -> dict[str, Any]:
        query = self._condense()
        documents = self._retrieve_all(query)
        if self.fault.shows is Shows.HANDLED_FALLBACK:
            documents = self._search_archive(query)
        draft = self._answer(self._rerank(documents))
        return self._cite(draft, documents)

    def _condense(self) -> str:
        with self._chain("condense", {"question": self.question, "history": []}) as span:
            query = self.question.rstrip("?").lower()
            answer = reply(self.rng, MODEL, self.question, query, context_tokens=160)
            self._model("condense", "Rewrite as a search query.", self.question, answer)
            oi.finish_chain(span, query)
        return query

    def _retrieve_all(self, query: str) -> Documents:
        """LangChain's multi-query retriever: one look-up for each wording, all at once; most questions need one."""
        found: list[Documents] = []
        width = 1 if self.fault.step == "retrieve" else self.rng.choice((1, 1, 1, 2, 3))
        wordings = (query, f"{query} manual", f"how to: {query}")[:width]

        def look_up(wording: str) -> None:
            found.append(self._retrieve(wording))

        self.script.together([partial(look_up, wording) for wording in wordings])
        return found[0]

    def _retrieve(self, query: str) -> Documents:
        found = words.pick(self.rng, words.MANUAL, 4)
        self.script.wait(1)
        with self.script.span("retrieve", oi.SCOPE, oi.retriever(self.session, query, "vectorstore")) as span:
            self.script.wait(95, spread=0.5)
            if self.script.strikes("retrieve", Shows.RETRIEVER_RAISES):
                self.script.pause(10.0)
                raise raised(Sdk.LANGCHAIN, "tool.timeout", self.rng)
            if self.script.strikes("retrieve", Shows.EMPTY_RESULT):
                found = []
                self.script.blame(span)
            if self.fault.shows is Shows.HANDLED_FALLBACK:
                found = [(source, text, round(score / 4, 3)) for source, text, score in found[:1]]
            oi.finish_retriever(span, found)
        return found

    def _search_archive(self, query: str) -> Documents:
        """The chain's own path when the manual has nothing close: older articles. Nothing failed."""
        found = words.pick(self.rng, words.MANUAL, 3)
        self.script.wait(1)
        with self.script.span("search_archive", oi.SCOPE, oi.retriever(self.session, query, "archive")) as span:
            self.script.wait(160)
            oi.finish_retriever(span, found)
        return found

    def _rerank(self, documents: Documents) -> Documents:
        kept = documents[:2]
        with self._chain("rerank", {"documents": len(documents)}) as span:
            self.script.wait(60)
            oi.finish_chain(span, [source for source, _, _ in kept])
        return kept

    def _answer(self, documents: Documents) -> str:
        prompt = self.question + "\n\n" + "\n".join(text for _, text, _ in documents)
        with self._chain("answer", {"question": self.question, "context": prompt}) as span:
            answer = self._reply(prompt, documents[0][1] if documents else "The manual does not say.")
            call = self._model_with_retry("Answer from the manual only.", prompt, answer)
            if answer.finish_reason != "stop":
                self.script.blame(call)
            oi.finish_chain(span, answer.text)
        return answer.text

    def _reply(self, prompt: str, text: str) -> Reply:
        if self.script.strikes("answer", Shows.FINISH_FILTER):
            return reply(self.rng, MODEL, prompt, "", context_tokens=850, finish_reason="content_filter")
        if self.script.strikes("answer", Shows.FINISH_LENGTH):
            cut = text[: len(text) // 2]
            return reply(self.rng, MODEL, prompt, cut, context_tokens=850, finish_reason="length")
        return reply(self.rng, MODEL, prompt, text, context_tokens=850)

    def _model_with_retry(self, system: str, prompt: str, answer: Reply) -> PlannedSpan:
        """LangChain's `with_retry`: attempts are siblings under the chain."""
        for tried in range(1, MAX_TRIES + 1):
            try:
                return self._model("answer", system, prompt, answer)
            except Raised as error:
                self.script.blame(error.origin)
                if self.fault.variant is not Variant.RECOVERED or tried == MAX_TRIES:
                    self.script.ran_out = self.fault.variant is Variant.RECOVERED
                    raise
                self.script.pause(self.rng.uniform(0.8, 1.4) * tried)
        raise AssertionError

    def _model(self, step: str, system: str, prompt: str, answer: Reply) -> PlannedSpan:
        return oi.call_model(self.script, step, self.session, system, prompt, answer)

    def _cite(self, draft: str, documents: Documents) -> dict[str, Any]:
        with self._chain("cite", draft) as span:
            self.script.wait(4)
            if self.script.strikes("cite", Shows.STEP_RAISES):
                raise raised(Sdk.LANGCHAIN, "handoff.schema_invalid", self.rng)
            result = {"answer": draft, "sources": json.dumps([source for source, _, _ in documents])}
            oi.finish_chain(span, result)
        return result
