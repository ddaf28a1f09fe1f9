"""Proposes a spec for a table: what `zoo init` does."""
