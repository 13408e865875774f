"""What a head's file says in JSON: read strictly, because all else is checked against it."""

from __future__ import annotations

import json
from typing import Any

from plankton_features.assessment.taxonomy import Taxonomy
from plankton_features.errors import HeadError
from plankton_features.heads.file.stored_values import MOST

#: Bytes of all of it.
MOST_BYTES = 2**24
#: Each of them is a column of probabilities of every row.
MOST_CLASSES = 10_000
#: A table of names takes the length of the longest one for each of them.
MOST_LETTERS, MOST_LINEAGE = 500, 5_000
_MOST_BATCH = 2**16
_PARTS = {"classes", "source", "target", "calibrator", "thresholds", "recipe", "recipe_id",
          "feature_names", "info"}


def read_description(content: bytes) -> dict[str, Any]:
    """The parts of a head but for its pipeline, each of its type and length.

    Parameters
    ----------
    content : bytes
        JSON.

    Returns
    -------
    dict
        With `thresholds` as numbers.

    Raises
    ------
    HeadError
        Which names the first part that cannot be right.
    """
    if len(content) > MOST_BYTES:
        raise HeadError(f"its description takes {len(content):,} bytes, expected at most "
                        f"{MOST_BYTES:,}")
    found: dict[str, Any] = read_json(content)
    _need(isinstance(found, dict), "description", "names and values")
    found.pop("pipeline", None)  # lies beside it
    if odd := sorted(_PARTS ^ found.keys()):
        raise HeadError(f"its description lacks or adds {', '.join(odd[:5])}"[:200])
    _check_names(found)
    n_classes = len(found["classes"])
    for name in ("source", "target"):
        _need(_are_numbers(found[name], n_classes), name, f"{n_classes} numbers")
    found["thresholds"] = _thresholds(found["thresholds"], n_classes)
    _need(isinstance(found["calibrator"], dict), "calibrator", "its name and numbers")
    _need(isinstance(found["recipe"], dict), "recipe", "fields of a recipe")
    _check_info(found["info"], found["classes"])
    return found


def read_json(content: bytes) -> Any:
    """JSON without numbers that it lacks.

    Raises
    ------
    HeadError
        If it is something else.
    """
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise HeadError(f"expected JSON ({str(error)[:100]})") from error


def _check_names(found: dict[str, Any]) -> None:
    for name in ("classes", "feature_names"):
        _need(_are_names(found[name]), name,
              f"names of up to {MOST_LETTERS} letters, at least one")
    _need(_are_names([found["recipe_id"]]), "recipe_id", "a text")
    classes = found["classes"]
    _need(len(classes) <= MOST_CLASSES and len(set(classes)) == len(classes), "classes",
          f"up to {MOST_CLASSES:,} different names")


def _thresholds(stored: Any, n_classes: int) -> list[float] | None:
    if stored is None:
        return None
    infinite = {"inf": float("inf"), "-inf": -float("inf")}
    _need(isinstance(stored, list), "thresholds", f"{n_classes} numbers")
    values = [infinite.get(value, value) if isinstance(value, str) else value for value in stored]
    _need(_are_numbers(values, n_classes, infinite=True), "thresholds", f"{n_classes} numbers")
    return [float(value) for value in values]


def _check_info(info: Any, classes: list[str]) -> None:
    """What others look up in it."""
    _need(isinstance(info, dict), "info", "facts by name")
    versions = info.get("versions")
    _need(isinstance(versions, dict) and _are_names([*versions, *versions.values(), ""]),
          "info: versions", "a version for each package")
    for name in ("engine", "precision", "device", "weights_source", "created"):
        _need(isinstance(info.get(name, ""), str), f"info: {name}", "a text")
    batch = info.get("batch")
    _need(batch in (None, "") or (type(batch) is int and 1 <= batch <= _MOST_BATCH), "info: batch",
          f"1 to {_MOST_BATCH:,}")
    if (stored := info.get("taxonomy")) is not None:
        _check_taxonomy(Taxonomy.from_dict(stored), classes)


def _check_taxonomy(taxonomy: Taxonomy, classes: list[str]) -> None:
    _need(_are_names(list(taxonomy.names)), "info: taxonomy", f"up to {MOST_LETTERS} letters")
    for name in classes:
        length, steps = 0, 0
        for taxon in taxonomy.lineage(name):
            length, steps = length + len(taxon) + 4, steps + 1
            _need(length <= MOST_LINEAGE, "info: taxonomy",
                  f"lineages of up to {MOST_LINEAGE:,} letters")


def _are_names(values: Any) -> bool:
    return (isinstance(values, list) and len(values) > 0
            and all(isinstance(value, str) and len(value) <= MOST_LETTERS for value in values)
            and _can_be_written("".join(values)))


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of characters
        return False
    return True


def _are_numbers(values: Any, n: int, infinite: bool = False) -> bool:
    return (isinstance(values, list) and len(values) == n
            and all(type(value) in (int, float) and (infinite or abs(value) <= MOST)
                    for value in values))


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _need(fits: bool, part: str, expected: str) -> None:
    if not fits:
        raise HeadError(f"its {part} cannot be right: expected {expected}")
