"""The table of models: reference protocols and the speed benchmark cover it, and its facts order the models by cost."""

from bench.models import MODELS, find_facts, find_model
from bench.models.model import ModelFacts
from bench.planning.protocol import ROWS, SENTENCES, WINDOWS


def test_every_model_has_a_reference_protocol_and_every_protocol_a_model():
    assert {protocol.model for protocol in (WINDOWS, SENTENCES, ROWS)} == {model.name for model in MODELS}


def test_facts_are_those_of_the_model_and_a_users_module_has_the_defaults():
    assert {model.name: find_facts(model.name) for model in MODELS} == {model.name: model.facts for model in MODELS}
    assert find_facts("/somewhere/mymodel.py:make") == ModelFacts(step_work=1.0, stack_width=5)


def test_the_work_of_a_protocol_is_counted_in_steps_of_the_window_tagger():
    assert find_facts(WINDOWS.model).step_work == 1.0
    assert WINDOWS.work == WINDOWS.steps
    assert SENTENCES.work == 2.6 * SENTENCES.steps
    assert ROWS.work == 0.12 * ROWS.steps


def test_a_shorter_step_pays_in_a_wider_stack():
    by_work = sorted(MODELS, key=lambda model: model.facts.step_work)
    widths = [model.facts.stack_width for model in by_work]
    assert widths == sorted(widths, reverse=True)


def test_facts_are_no_part_of_what_a_model_shows():
    assert "facts" not in str(find_model("mlp"))
