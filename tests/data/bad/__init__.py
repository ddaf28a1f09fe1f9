"""Bad data, and what zoo makes of each."""

from tests.data.bad import labels, numbers, pictures, sounds, tables, texts
from tests.data.bad.case import Bad

CASES: list[Bad] = [
    *pictures.CASES,
    *sounds.CASES,
    *texts.CASES,
    *numbers.CASES,
    *labels.CASES,
    *tables.CASES,
]
