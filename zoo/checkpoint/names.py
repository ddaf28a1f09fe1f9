"""What a file of a run may be called: a name within its folder, that a system can take."""


def wrong_name(name: str) -> str | None:
    """What is wrong with a name, in words that follow one; None of a good one.

    Args:
        name: A path within the run's folder, its parts apart by slashes.
    """
    parts = name.split("/")
    if name and ("\\" in name or ":" in name or any(each in ("", ".", "..") for each in parts)):
        return "whose name leads elsewhere"
    if not name.isprintable() or not all(0 < len(each.encode()) <= 200 for each in parts) or len(name) > 255:
        return "whose name no system would take"
    return None
