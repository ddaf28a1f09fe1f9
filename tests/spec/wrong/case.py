"""One wrong spec: its text, and the problems that must be told, in order."""

GOOD = """\
zoo: 1
inputs:
  photo: {type: image, backbone: timm/resnet50}
heads:
  mood: zoo/classifier
"""
"""A right spec, which each case spoils in one place."""


class Wrong:
    """A wrong spec.

    Args:
        name: What is wrong with it.
        text: The spec.
        problems: `line:column: message`, then ` -> suggestion` where there is one.
        exit_code: What `zoo check` returns.
    """

    def __init__(self, name: str, text: str, *problems: str, exit_code: int = 2) -> None:
        self.name = name
        self.text = text
        self.problems = problems
        self.exit_code = exit_code


def changed(old: str, new: str) -> str:
    """The right spec with one piece replaced."""
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new)


def after(text: str) -> str:
    """The right spec with something behind it."""
    return GOOD + text
