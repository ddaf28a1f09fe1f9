"""What the namespace `zoo/` offers, declared without torch. The code stands where each target says."""
