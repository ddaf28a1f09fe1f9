"""Finds components among the installed plugins, and keeps the broken ones from harming the rest."""
