"""How long one run of each strategy takes here: the first steps of neural models, and first whole fits of estimators."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from statistics import mean
from typing import cast

import torch

from bench.comparison.budget import RunTime, Times
from bench.engine.events import Finished, Observer, Preparing, Stack, StackEvent, Started, TrainStacks
from bench.engine.packing import Packing, StackKey, Width
from bench.engine.time_estimate import probe_stacks
from bench.planning.run import Run
from bench.records.record import Record
from bench.records.store import Store

FITS_OF_REMEDY, FITS_OF_ENSEMBLE = 2, 10
"""Fits of plain training that a remedy, or an ensemble, is taken to cost where there was no time to measure it."""


def time_neural(runs: Sequence[Run], device: torch.device, workers: int, observe: Observer) -> Times:
    """Return the time of a run of each strategy of a neural model, from a few steps of a stack of them all.

    Strategies whose models are built alike share a stack and a time. What cannot be probed has no time: it is planned, so that
    its failure is reported.
    """
    stacks: dict[StackKey, Stack] = {}
    for run in runs:
        stacks.setdefault(StackKey.of(run), []).append(run)
    packing = Packing(list(stacks.values()), {key: Width(len(stack), "") for key, stack in stacks.items()}, None)
    probes, _, _ = probe_stacks(packing, workers, device, observe)
    times: dict[str, RunTime] = {}
    for key, key_probes in probes.items():
        protocol = stacks[key][0].protocol
        validations = protocol.steps // protocol.validate_every
        fixed = mean(
            probe.setup_seconds + probe.final_seconds + validations * probe.validation_seconds for probe in key_probes
        )
        steps = protocol.steps * mean(probe.step_seconds for probe in key_probes)
        times |= {str(run.strategy): RunTime(fixed, steps) for run in stacks[key]}
    return {str(run.strategy): times.get(str(run.strategy), RunTime(0.0)) for run in runs}


def time_estimator(
    runs: Sequence[Run], store: Store, train_stacks: TrainStacks, seconds: float, observe: Observer
) -> Times:
    """Return the time of a fit of each strategy of an estimator: each is fitted once, in the order given, for so many seconds.

    These runs are kept, since they are the comparison's own. Plain training is always fitted. What there was no time for is
    taken to need a multiple of the time of plain training: `FITS_OF_ENSEMBLE` for an ensemble, else `FITS_OF_REMEDY`; and at
    least as long as its first fit had lasted when it was stopped.
    """
    end, times, started = math.inf, dict[str, RunTime](), dict[str, float]()
    observe(Preparing("measuring the time of a fit", runs[0].label))
    known = {run.id: store.record(run.id) for run in runs}
    missing = [run for run in runs if known[run.id] is None]
    failed = set[str]()
    # A generator, which ends its workers when it is closed.
    with closing(cast(Generator[StackEvent], train_stacks([[run] for run in missing]))) as events:
        for event in events if missing else ():
            if isinstance(event, Started):
                started[event.stack[0].id] = time.monotonic()
            elif isinstance(event, Finished):
                (outcome,) = event.outcomes
                store.add(outcome, event.predicted.get(outcome.id))
                if isinstance(outcome, Record):
                    known[outcome.id] = outcome
                else:
                    failed.add(outcome.id)
                # Workers take seconds to start, which tells nothing of a fit.
                end = min(end, time.monotonic() + seconds)
            if time.monotonic() > end and (known[runs[0].id] is not None or failed):
                break
    stopped = time.monotonic()
    plain = known[runs[0].id]
    for run in runs:
        record = known[run.id]
        if record is not None:
            times[str(run.strategy)] = RunTime(sum(record.times.values()))
        elif run.id in failed or plain is None:  # what failed is planned, so that it is reported
            times[str(run.strategy)] = RunTime(0.0)
        else:
            fits = FITS_OF_ENSEMBLE if any(part.folder == "ensemble" for part in run.strategy.parts) else FITS_OF_REMEDY
            estimated = fits * sum(plain.times.values())
            times[str(run.strategy)] = RunTime(max(estimated, stopped - started.get(run.id, stopped)))
    return times
