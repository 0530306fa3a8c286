"""The research desk: its specialists, their models, and how they settle their disagreements."""

from collections.abc import Iterator

from hustings import ModelRule, Team, by_model, independent, judged, rules, unopposed
from hustings.agents import RunReport, by_contract, evident, model_judge, model_planner

from .librarian import librarian
from .messages import Answer, Checked, Cited, Research
from .reader import reader
from .skeptic import skeptic
from .writer import checker, writer

OPUS, SONNET, HAIKU = "anthropic:claude-opus-5-5", "anthropic:claude-sonnet-5-5", "anthropic:claude-haiku-5-5"


def tell(report: RunReport) -> str:
    """The answer with its citations, and how the readers' conflicts were settled."""
    return "\n".join((*_answer(report), "", *_conflicts(report)))


def _answer(report: RunReport) -> Iterator[str]:
    said, proof = report.outcome.get("answer"), report.outcome.get("proof")
    if not isinstance(said, dict):
        return
    answer = Cited.of(said)
    for n, each in enumerate(answer.sentences, 1):
        yield f"{each.sentence} [{n}]"
    yield from (f"UNSETTLED  {each}" for each in answer.unsettled)
    yield ""
    for n, each in enumerate(answer.sentences, 1):
        yield f"  [{n}] {each.source}: “{' '.join(each.quote.split())}”"
    if isinstance(proof, dict):
        yield f"CITATIONS  {Checked.of(proof).because}"


def _conflicts(report: RunReport) -> Iterator[str]:
    for verdict in report.verdicts:
        if verdict.contested:
            stands = ", ".join(f"{item.by}: {getattr(item, 'value', '')}" for item in verdict.stands) or "nothing"
            yield f"CONFLICT  {verdict.about}  [{verdict.rule}]"
            yield f"          stands  {stands}"
            yield from (f"          falls   {each.by}: {each.says}" for each in verdict.dissent)
            yield f"          because {verdict.because}"


team = Team(
    name="research",
    goal=Research,
    outcome=Answer,
    specialists=[model_planner(), librarian, reader, skeptic, model_judge(), writer, checker],
    planner=by_model(fallback=by_contract),
    arbiters=[unopposed, independent, rules(evident), judged()],
    models=[
        ModelRule("planner.*", models=(OPUS, SONNET)),
        ModelRule("judge.*", models=(OPUS, SONNET)),
        ModelRule("skeptic.*", models=(HAIKU, SONNET)),
        ModelRule("*", models=(SONNET, HAIKU)),
    ],
    exhausted="cheaper",
    attempt_timeout=120,
    tell=tell,
)
