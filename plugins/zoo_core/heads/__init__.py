"""Heads of the namespace `zoo/`: what is predicted, and how it is learnt and measured. One per file."""
