"""Strategies of plain data, with the texts that YAML readers take for something else."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)
"""For tests whose time says more of the machine than of the code."""

LOOKALIKES = """
no yes on off y n No NO null ~ Null true TRUE 012 0o14 0x1F 0b11 1_000 12:30 190:20:30 1e3 3e-4 .5 5. +.inf .NaN
-.INF = << 2001-12-14 2001-12-14T21:59:43.10-05:00 - -- --- ... ? : # @a `a %a &a *a !a | > ' " [ ] { } , a: :a
a:b a#b -a ?a +1 -0 0.0 1. 1e 0x 0o8 -0x1f 1_0.5 ._ . 1.e5 1.0e+5 0777 09 1:60 'a
""".split()  # noqa: SIM905  # fifty words
AWKWARD = ["", " ", " a", "a ", "\n", "a\n", "\na", "a\n\nb", "a\n b", "\t", "a\tb", "a #b", "a: b", "- a", "--- a"]
AWKWARD += ["\r\n", "a\rb", "\x85", "\xa0", "\u2028", "\ufeff", "a\ufeff", "\0", "\x1b[31m", "\x7f", "\ufffe", "😀"]
AWKWARD += ["\\n", 'say "no"', "it's", "日本語", "e\u0301", "a:\tb", "x" * 300, "word " * 60, "], b: [", "} # c"]

texts = (
    st.sampled_from(LOOKALIKES)
    | st.sampled_from(AWKWARD)
    | st.text(max_size=12)
    | st.text(alphabet="a0 :#-?,[]{}'\"\n\t&*!|>%@`=~.\\é😀", max_size=8)
    | st.text(alphabet="0123456789.:_-+eExo", max_size=7)
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Leaves, and lists and dicts of them to some depth."""
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | dicts(inner), max_leaves=12)


def dicts(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Dicts with any text as key."""
    return st.dictionaries(texts, values, max_size=4)


data = nested(scalars)
