"""The language: from a YAML text to a checked `Spec`, its canonical form, and the JSON Schema of all specs."""
