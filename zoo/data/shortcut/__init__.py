"""Digits whose colour gives them away in training and says nothing in the test: a trap for what learns greedily."""
