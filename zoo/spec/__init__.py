"""The language: a YAML text becomes a checked `Spec`, its canonical form, and the JSON Schema of all that may be said."""
