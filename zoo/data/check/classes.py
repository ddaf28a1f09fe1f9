"""How the classes of a head are spread over the tables."""

from collections import Counter
from collections.abc import Iterator, Sequence

from zoo.data.check.finding import Finding, Level
from zoo.data.check.opened import TRAIN
from zoo.data.check.readers import Readers
from zoo.data.check.scan import Scanned

RARE = 5
"""Training rows of a class below which little can be learnt of it."""

UNEQUAL = 20
"""How many times as frequent as the rarest class the most frequent is before it is told."""


def class_counts(scanned: Scanned, head: str, readers: Readers) -> dict[str, int]:
    """How many rows of a table each class has, in the classes' order; empty of a head without classes."""
    classes = readers.classes.get(head, ())
    counts = scanned.sets.get(head) or Counter(each for each in scanned.labels.get(head, ()) if each is not None)
    return {name: counts[code] for code, name in enumerate(classes)} if head in scanned.labels else {}


def class_findings(scans: Sequence[Scanned], readers: Readers) -> Iterator[Finding]:
    """Classes without training rows or with few, and those that are much rarer than others."""
    for head in readers.heads:
        training = [each for each in scans if each.opened.role == TRAIN and head in each.labels]
        counts: Counter[str] = Counter()
        for each in training:
            counts.update(class_counts(each, head, readers))
        if not counts:
            continue
        table = training[0].opened.table.name if len(training) == 1 else ""
        column = ", ".join(readers.labels[head])
        rare = {name: count for name, count in counts.items() if count < RARE}
        if rare:
            told = ", ".join(f"`{name}` {count}" for name, count in list(rare.items())[:8])
            more = f" and {len(rare) - 8} more" if len(rare) > 8 else ""
            message = f"classes of `{head}` with fewer than {RARE} training rows: {told}{more}"
            yield Finding(Level.WARNING, "class", table, message, column=column)
        (most, largest), least = counts.most_common(1)[0], min(filter(None, counts.values()), default=0)
        if least and largest > UNEQUAL * least:
            message = (
                f"`{most}` has {largest:,} training rows, the rarest class of `{head}` {least:,}: "
                "`class_weights: balanced` makes rare classes weigh more"
            )
            yield Finding(Level.WARNING, "class", table, message, column=column)
