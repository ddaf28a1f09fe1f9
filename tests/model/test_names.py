from torch import nn

from zoo.spec.edges import TAKEN


def test_the_language_refuses_all_names_that_a_module_cannot_have() -> None:
    assert {name for name in dir(nn.ModuleDict()) if not name.startswith("_")} <= set(TAKEN)
