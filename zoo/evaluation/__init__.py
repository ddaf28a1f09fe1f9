"""How good a model is, with how many samples and how sure, and which modality earns it."""
