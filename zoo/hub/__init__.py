"""Sharing: runs are pushed to a store and pulled from it, the Hugging Face Hub or a folder, and proven the same."""
