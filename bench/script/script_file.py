"""Write `use_it.py`: a program of its own that trains what one run of a study trained, and predicts new data with it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.errors import InputError
from bench.models.lstm_cell import EXPONENTIAL
from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.records.record import RAW, Record
from bench.script.corpus_source import CorpusSource, write_corpus, write_parts
from bench.script.learner_code import learner_code
from bench.script.metric_code import metric_code
from bench.script.remedy_code import RemedyCode, remedy_code, strategy_source
from bench.script.source_code import docstring_text, f_string_text, literal, with_imports
from bench.script.table_source import TableSource, table_source
from bench.tasks.tagged_corpora import Tagging
from bench.tasks.task import Task
from bench.user_data.table_task import TableTask
from strategies import Strategy, parse
from strategies.adjust.priors import PostHocAdjustment, PriorCorrection
from strategies.adjust.thresholds import Thresholds

SCRIPT = "use_it.py"
BASELINE = "none"

_PREDICT_HELP = {
    "tags": "write the tag of every word of the file NEW to the file OUT",
    "rows": "write the class of every row of the file NEW to OUT, a CSV file",
}


@dataclass(frozen=True)
class _AdjustmentCode:
    """How logits are adjusted: "raw", "thresholds" that are tuned on validation, or "offsets" that follow from class priors."""

    kind: str
    name: str = ""
    code: str = ""
    metric: str = ""

    @property
    def saved(self) -> str:
        return {"raw": "", "thresholds": ", thresholds", "offsets": ", offsets"}[self.kind]

    @property
    def saved_typed(self) -> str:
        return {"raw": "", "thresholds": ", thresholds: FittedThresholds", "offsets": ", offsets: Tensor"}[self.kind]


def write_script(run: Run, record: Record, directory: Path, *, adjustment: str = RAW) -> Path:
    """Write the program that repeats a run, and what it reads, to a directory; return its path.

    Parameters
    ----------
    run
        A run of the chosen learner and remedy; the program has its seed.
    record
        What that run left: the steps it was trained for, and the score on test that the program is to reach.
    directory
        Where `use_it.py` and `use_it_parts.csv` are written; what they replace is lost.
    adjustment
        How the logits are adjusted, as the record names it; `raw` for not at all.

    Raises
    ------
    InputError
        If there is no program for such a run; the message says why.
    """
    task = run.load_task()
    remedy = remedy_code(run.strategy, task)
    _refuse(run, remedy)
    directory.mkdir(parents=True, exist_ok=True)
    adjusting = _adjustment_code(adjustment)
    program = _describe(run, record, task, remedy, adjusting, adjustment)
    if isinstance(run.task, Tagging):
        program.source = write_corpus(run.task.read(), list(run.task.find_files().values()), directory)
        template = "tagger.py.jinja"
    elif isinstance(run.task, TableTask):
        program.source = table_source(run.task, list(task.train.labels.class_names))
        assert task.rows is not None
        write_parts(directory, {part: getattr(task.rows, part).tolist() for part in ("train", "valid", "test")})
        template = "rows.py.jinja"
    else:
        raise InputError(f"there is no program for {run.task.label} yet")
    program.needs = " ".join(_needs(run, remedy, program.source))
    path = directory / SCRIPT
    path.write_text(_render(template, program), encoding="utf-8", newline="\n")
    return path


def _describe(
    run: Run, record: Record, task: Task, remedy: RemedyCode, adjusting: _AdjustmentCode, adjustment: str
) -> SimpleNamespace:
    """Return what templates read, but for the source of the data and what it needs."""
    metric = metric_code(run.metric)
    phases = len(run.strategy.phases())
    streams = [run.seed_for("stream" if phase == 0 else f"stream of phase {phase}") for phase in range(phases)]
    remedies = [run.name if run.name != BASELINE else "", adjusting.name]
    what = " and ".join(filter(None, remedies)) or "plain training"
    return SimpleNamespace(
        title=f"Train and use what a comparison chose for {run.task.label}: {run.protocol.model_name} with {what}.",
        predict_help=_PREDICT_HELP["tags" if isinstance(run.task, Tagging) else "rows"],
        classes=list(task.train.labels.class_names),
        study_score=round(float(run.metric.value(record.evaluation("chosen", "test", adjustment))), 6),
        metric=metric,
        seed=run.seed,
        seeds=SimpleNamespace(
            streams=streams,
            group=sub_seed("length-group", run.task.label),
            **{what: run.seed_for(what) for what in ("init", "unk", "resample", "loss", "ensemble")},
        ),
        protocol=run.protocol,
        chosen_step=record.chosen_step,
        learner=learner_code(run.protocol, replaced=remedy.is_ensemble),
        remedy=remedy,
        exponential=[float(constant) for constant in EXPONENTIAL],
        adjustment=adjusting,
        adds_validation=run.adds_validation,
    )


def _needs(run: Run, remedy: RemedyCode, source: CorpusSource | TableSource) -> list[str]:
    """Return the packages that a program needs."""
    tags = isinstance(source, CorpusSource)
    return [
        "imbalance-bench",
        "scikit-learn",
        *([] if tags else ["pandas"]),
        *(["imbalanced-learn"] if remedy.is_ensemble or remedy.synthesises else []),
        *(["transformers"] if isinstance(run.task, TableTask) and run.task.features == "minilm" else []),
        *(["seqeval"] if run.metric.needs_entities else []),
        *(["pyarrow"] if isinstance(source, TableSource) and source.reads_parquet else []),
    ]


def _refuse(run: Run, remedy: RemedyCode) -> None:
    """Raise an InputError for what programs do not hold yet."""
    if remedy.unsupported:
        raise InputError(f"there is no program for {run.strategy}: {remedy.unsupported}")
    if run.protocol.model_source and not run.protocol.is_estimator:
        raise InputError(f"there is no program for {run.protocol.model_name}, a module of the user")
    if run.task.kind == "windows-tags":
        raise InputError("there is no program for windows with a label per word; use kind=windows or kind=sentences")
    if run.protocol.clip_norm or run.protocol.dropout or run.protocol.embedding_adam != "row-lazy":
        raise InputError("there is no program for a protocol with clipping, dropout or a dense Adam of embeddings")


def _adjustment_code(adjustment: str) -> _AdjustmentCode:
    if adjustment == RAW:
        return _AdjustmentCode("raw")
    strategy: Strategy = parse(adjustment)
    if isinstance(strategy, Thresholds):
        return _AdjustmentCode("thresholds", "tuned thresholds", metric=strategy.objective)
    if isinstance(strategy, PriorCorrection | PostHocAdjustment):
        return _AdjustmentCode("offsets", strategy.name, strategy_source(strategy))
    raise InputError(f"there is no program for logits adjusted by {adjustment}")


def _render(template: str, program: Any) -> str:
    """Return the program, with the imports that it needs, and with two empty lines between its parts."""
    environment = Environment(
        loader=PackageLoader("bench.script"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"literal": literal, "docstring": docstring_text, "f_string": f_string_text}
    place = "# imports"
    source = environment.get_template(template).render(p=program, imports_here=f"{place}\n")
    source = with_imports(source, place, entity_metric=program.metric.of_entities)
    source = re.sub(r"\n{4,}", "\n\n\n", source).rstrip("\n") + "\n"
    ast.parse(source)
    return source
