"""What a spec would become, before any weight is fetched or any memory is taken."""
