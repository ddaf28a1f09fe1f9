"""The digit as a word of one of ten languages, misspelt now and then, among words that mean nothing here."""

import numpy as np

NUMBERS = (
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    ("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
    ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"),
    ("noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"),
    ("zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"),
    ("nolla", "yksi", "kaksi", "kolme", "neljä", "viisi", "kuusi", "seitsemän", "kahdeksan", "yhdeksän"),
)
"""0 to 9 in English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish and Finnish."""

OTHERS = (
    ("apple", "river", "stone", "window", "paper", "garden", "winter", "bridge"),
    ("Apfel", "Fluss", "Stein", "Fenster", "Papier", "Garten", "Winter", "Brücke"),
    ("pomme", "fleuve", "pierre", "fenêtre", "papier", "jardin", "hiver", "pont"),
    ("manzana", "río", "piedra", "ventana", "papel", "jardín", "invierno", "puente"),
    ("mela", "fiume", "pietra", "finestra", "carta", "giardino", "inverno", "ponte"),
    ("maçã", "rio", "pedra", "janela", "papel", "jardim", "inverno", "ponte"),
    ("appel", "rivier", "steen", "raam", "papier", "tuin", "winter", "brug"),
    ("äpple", "flod", "sten", "fönster", "papper", "trädgård", "vinter", "bro"),
    ("jabłko", "rzeka", "kamień", "okno", "papier", "ogród", "zima", "most"),
    ("omena", "joki", "kivi", "ikkuna", "paperi", "puutarha", "talvi", "silta"),
)
"""Words of the same languages that name no number."""


TYPOS = 0.1
"""Share of the words that are misspelt."""


def text(digit: int, useless: bool, random: np.random.Generator) -> str:
    """A line of two to five words, one of which names the digit.

    Args:
        digit: The digit.
        useless: Whether another word stands in its place.
        random: Source of randomness.
    """
    words = [_other(random) for _ in range(random.integers(1, 5))]
    name = NUMBERS[int(random.integers(len(NUMBERS)))][digit]
    words.insert(int(random.integers(len(words) + 1)), _other(random) if useless else name)
    return " ".join(_misspelt(word, random) if random.random() < TYPOS else word for word in words)


def _other(random: np.random.Generator) -> str:
    words = OTHERS[int(random.integers(len(OTHERS)))]
    return words[int(random.integers(len(words)))]


def _misspelt(word: str, random: np.random.Generator) -> str:
    """The word with one slip: two letters swapped, or one left out, doubled, or taken for another."""
    place = int(random.integers(len(word) - 1))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    slips = (before + after[0] + letter + after[1:], before + after, before + 2 * letter + after, before + "e" + after)
    return slips[int(random.integers(len(slips)))]
