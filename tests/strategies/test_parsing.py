import pytest

import strategies
from strategies import NotationError
from strategies.registry import find


@pytest.mark.parametrize("name", strategies.names())
def test_the_text_of_a_strategy_parses_to_itself(name):
    assert strategies.parse(str(strategies.get(name))) == strategies.get(name)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("loss-weights(power=0.5, reduction=mean)", {"power": 0.5, "reduction": "mean"}),
        ("loss-weights(1)", {"power": 1.0, "reduction": "weighted-mean"}),
        (" sentence-weights( product ) ", {"reduction": "product"}),
        ("sentence-duplication('sCR')", {"kind": "sCR"}),
    ],
)
def test_parameters_are_converted_to_their_types(text, parameters):
    strategy = strategies.parse(text)
    assert strategy.parameters == parameters
    assert strategies.parse(str(strategy)) == strategy


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("los-weights", "did you mean loss-weights?"),
        ("loss-weights(powr=2)", "did you mean power?"),
        ("loss-weights(power=high)", "power must be a finite number; given: 'high'"),
        ("loss-weights(power=true)", "power must be a finite number"),
        ("loss-weights(1, power=2)", "given twice"),
        ("loss-weights(power=nan)", "must be a finite number; given: nan"),
        ("sentence-duplication(scr)", "'sc' or 'sCR' or 'sCRD' or 'nsCRD'"),
        ("oversampling(smote)", "did you mean .*random-oversampling"),
        ("none(1)", "no parameters"),
        ("none(power=1)", "no parameters"),
        ("loss-weights(power=1", "NAME\\(parameter=value"),
    ],
)
def test_a_mistyped_strategy_is_refused_with_what_is_allowed(text, complaint):
    with pytest.raises(NotationError, match=complaint):
        strategies.parse(text)


def test_two_strategies_of_one_name_are_refused():
    class Impostor(strategies.Strategy):
        name = "none"

    with pytest.raises(ValueError, match="two strategies are named 'none'"):
        strategies.register(Impostor)
    assert find("none") is not Impostor
