"""The conformance kit: does a component hold what zoo promises of every component? It needs no pytest.

from zoo.testing import check

def test_tiny() -> None:
    check("acme/tiny", {"dim": 32})
"""

from zoo.testing.kit import Finding, check, conformance

__all__ = ["Finding", "check", "conformance"]
