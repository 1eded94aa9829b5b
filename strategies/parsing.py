"""Text to `Strategy`: how suites, the command line and plots name strategies and combinations of them."""

from __future__ import annotations

import re

from strategies.combination import combine
from strategies.notation import NotationError, build, parse_call
from strategies.registry import find
from strategies.strategy import Strategy

_PLUS = re.compile(r"\+(?![^()]*\))")
"""A plus sign outside of parentheses."""


def parse(text: str) -> Strategy:
    """Return the strategy, or the combination of strategies, that a text names.

    Parameters
    ----------
    text : str
        `NAME` or `NAME(parameter=value, ...)`, several of them joined by `+`. A value without a parameter's name is that of
        the first parameter, and so on.

    Returns
    -------
    Strategy
        `str()` of it gives a text that parses to an equal strategy.

    Raises
    ------
    NotationError
        If the text cannot be read, names an unknown strategy or parameter, gives a value that is not allowed, or combines
        strategies that exclude each other.

    Examples
    --------
    >>> parse("loss-weights(power=0.5)")
    LossWeights(power=0.5, reduction='weighted-mean')
    >>> print(parse("loss-weights(power=0.5) + weighted-random-sampler(power=0.5)"))
    weighted-random-sampler(power=0.5)+loss-weights(power=0.5)
    """
    terms = split_terms(text)
    if not all(terms):
        raise NotationError(
            f"cannot read {text!r}; write NAME or NAME(parameter=value, ...), several with a + between two"
        )
    calls = [parse_call(term) for term in terms]
    return combine(build(find(name), name, unnamed, named) for name, unnamed, named in calls)


def split_terms(text: str) -> list[str]:
    """Return the parts of a text between plus signs that are not in parentheses.

    >>> split_terms("square-root-sampling + focal(gamma=1e+0)")
    ['square-root-sampling', 'focal(gamma=1e+0)']
    """
    return [term.strip() for term in _PLUS.split(text)]
