"""Names of classes that a person may not have meant."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

#: What programs write where nothing is known.
_MISSING = frozenset(("na", "n/a", "#n/a", "nan", "null", "none", "<na>", "nil"))


def doubtful_labels(labels: Iterable[str]) -> list[str]:
    """What to ask oneself about the names of the classes, as sentences.

    Parameters
    ----------
    labels : iterable of str
        One for each image; empty ones are of no class.

    Returns
    -------
    list of str
        None if no names differ only in case, spaces or forms of a letter, and none says that the
        label is missing.

    Examples
    --------
    >>> doubtful_labels(["Copepoda", "copepoda ", "Salpida"])
    ["'Copepoda' (1 image) and 'copepoda ' (1 image) differ only in case, spaces or forms of a \
letter, and are different classes. If they are one, give them one name."]
    """
    counts = Counter(str(label) for label in labels if label)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(counts):
        alike[_seen(name)].append(name)
    told = [f"{' and '.join(_counted(name, counts) for name in names)} differ only in case, spaces "
            "or forms of a letter, and are different classes. If they are one, give them one name."
            for names in alike.values() if len(names) > 1]
    told += [f"{_counted(name, counts)} is a class. If it stands for a missing label, leave the "
             "label empty." for name in sorted(counts) if name.strip().lower() in _MISSING]
    return told


def _seen(name: str) -> str:
    """A name as the eye takes it: without case, spaces at its ends and signs of no width."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def _counted(name: str, counts: Counter[str]) -> str:
    n = counts[name]
    return f"'{name}' ({n:,} image{'s' if n != 1 else ''})"
