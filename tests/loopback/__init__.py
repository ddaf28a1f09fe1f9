"""A Hugging Face Hub on this machine, for tests that drive the real clients against it.

`serving.loopback()` starts it. It is what the client's source (huggingface_hub 2.4) expects of the Hub, not the Hub:
it proves how a client behaves. The files: `store` has repositories and commits, `xet` the storage that hf_xet speaks
to, `routes_*` the protocol, `faults` what goes wrong on request, `server` HTTP itself; `client` runs a function in a
process of its own, since huggingface_hub reads its settings when it is imported.
"""
