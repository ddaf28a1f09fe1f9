"""Coloured shapes in places, described, asked about, counted and boxed: one made data set for many tasks."""
