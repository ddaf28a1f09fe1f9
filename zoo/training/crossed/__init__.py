"""Cross-validation: trainings that each hold some rows out, and what all of them say together."""
