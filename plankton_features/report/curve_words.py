"""What learning curves say, in sentences that are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from plankton_features.report.numbers import decimal, number, percent, whole
from plankton_features.report.words import capital, words_of

Rows = Sequence[Mapping[str, Any]]

_OTHER_NAMES = {"loss": "validation_loss", "val_loss": "validation_loss",
                "log_loss": "validation_loss", "f1": "macro_f1"}
_CHOSEN_BY = frozenset({"validation_loss", "macro_f1", "accuracy", "mcc", "macro_precision",
                        "macro_recall"})


def verdict(rows: Rows, kept: int | None, metric: Any = None) -> str:
    """Which epoch was kept and why, and what came after it.

    Parameters
    ----------
    rows : sequence of mapping
        One for each epoch, see ``curves`` in results.json.
    kept : int or None
        Place of the epoch whose weights were kept.
    metric : str, optional
        What chose it; nothing is said of that if it is not known.

    Returns
    -------
    str

    Examples
    --------
    >>> rows = [{"epoch": k, "mcc": v} for k, v in ((1, 0.5), (2, 0.75), (3, 0.74))]
    >>> first, second = verdict(rows, 1, "mcc").split("; ")
    >>> print(first)
    Validation MCC was best in epoch 2 of 3 (.750), whose weights were kept
    >>> print(second)
    the last epoch did not improve it.
    """
    parts = [_choice(rows, kept, known_score(metric)), _losses(rows, kept), _gaps(rows)]
    return " ".join(part for part in parts if part)


def phases(rows: Rows) -> str:
    """Which epochs each phase had; empty for a single phase."""
    runs = [(phase, [row["epoch"] for row in some])
            for phase, some in groupby(rows, lambda row: row.get("phase"))]
    if len(runs) < 2:
        return ""
    told = "; ".join(f"phase {phase}: {_span(numbers)}" for phase, numbers in runs)
    return capital(f"{told}.")


def pace(rows: Rows) -> str:
    """How long it took, how many images a second, how long the network waited for them."""
    timed = [(seconds, row) for row in rows if (seconds := number(row.get("seconds")))]
    total = sum(seconds for seconds, _ in timed)
    if not timed or total <= 0:
        return ""
    epochs = "1 epoch" if len(timed) == 1 else f"{len(timed)} epochs"
    rate, waiting = (_mean(timed, name, total) for name in ("images_per_second", "waiting"))
    return (f"{epochs} in {clock(total)}"
            + (f", {whole(rate)} images a second" if rate is not None else "")
            + (f"; the network waited for images {percent(waiting)} of the time"
               if waiting is not None else "") + ".")


def clock(seconds: float) -> str:
    """A time as people say it.

    Examples
    --------
    >>> clock(45.2), clock(754), clock(6700)
    ('45 s', '13 min', '1 h 52 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def known_score(metric: Any) -> str | None:
    """A score that can choose an epoch, as rows name it; None for any other name."""
    name = str(metric or "").lower().replace("-", "_")
    name = _OTHER_NAMES.get(name, name)
    return name if name in _CHOSEN_BY else None


def _choice(rows: Rows, kept: int | None, metric: str | None) -> str:
    best = _best(rows, metric) if metric else None
    if metric is None or best is None:
        return f"The weights of {_of(rows, kept)} were kept." if kept is not None else ""
    score = f"validation {words_of(metric).title.removeprefix('validation ')}"
    value = decimal(rows[best][metric])
    if len(rows) == 1:
        return f"There was one epoch; {score} after it is {value}."
    if kept is None:
        return capital(f"{score} was best in {_of(rows, best)} ({value}).")
    if rows[kept].get(metric) == rows[best][metric]:
        return capital(f"{score} was best in {_of(rows, kept)} ({value}), whose weights were "
                       f"kept{_after(rows, kept)}.")
    return _better(rows, kept, best, score, metric)


def _better(rows: Rows, kept: int, best: int, score: str, metric: str) -> str:
    """That another epoch than the kept one was better."""
    own, other = number(rows[kept].get(metric)), number(rows[best].get(metric))
    if own is None:
        return f"The weights of {_of(rows, kept)} were kept, which has no {score}."
    return (f"The weights of {_of(rows, kept)} were kept, with a {score} of {_unlike(own, other)}; "
            f"epoch {rows[best]['epoch']} had a better one, {_unlike(other, own)}.")


def _of(rows: Rows, place: int) -> str:
    return f"epoch {rows[place]['epoch']} of {rows[-1]['epoch']}"


def _after(rows: Rows, kept: int) -> str:
    later = len(rows) - 1 - kept
    if not later:
        return "; as it is the last one, more epochs might improve it further"
    return (f"; the last {later} epochs did not improve it" if later > 1
            else "; the last epoch did not improve it")


def _losses(rows: Rows, kept: int | None) -> str:
    """Both losses where the weights are from, and where validation loss was lowest."""
    best = _best(rows, "validation_loss")
    if kept is None or best is None:
        return ""
    training, validation = (number(rows[kept].get(n)) for n in ("loss", "validation_loss"))
    if training is None or validation is None:
        return ""
    lowest = number(rows[best].get("validation_loss"))
    told = f"training loss is {decimal(training)} and validation loss {decimal(validation)}"
    if len(rows) == 1:
        return capital(f"{told}.")
    return f"In epoch {rows[kept]['epoch']} {told}" + (", its lowest." if validation == lowest else
                   f"; validation loss was lowest in epoch {rows[best]['epoch']} "
                   f"({_unlike(lowest, validation)}).")


def _gaps(rows: Rows) -> str:
    names = [n for n in ("loss", "validation_loss", "macro_f1", "accuracy", "mcc", "rate")
             if any(number(row.get(n)) is not None for row in rows)]
    broken = sum(any(number(row.get(n)) is None for n in names) for row in rows)
    if not broken:
        return ""
    where = "1 epoch" if broken == 1 else f"{broken} epochs"
    return f"In {where} a value is missing or not a number: lines have a gap there."


def _best(rows: Rows, name: str) -> int | None:
    """Place of the first best value."""
    sign = -1 if name.endswith("loss") else 1
    found = [(sign * value, -k) for k, row in enumerate(rows)
             if (value := number(row.get(name))) is not None]
    return -max(found)[1] if found else None


def _mean(timed: Sequence[tuple[float, Mapping[str, Any]]], name: str,
          total: float) -> float | None:
    values = [(seconds, number(row.get(name))) for seconds, row in timed]
    known = [seconds * value for seconds, value in values if value is not None]
    return sum(known) / total if len(known) == len(timed) else None


def _unlike(value: Any, other: Any) -> str:
    """In as many digits as tell it from another."""
    return next((text for places in (3, 4, 5) if (text := decimal(value, places)) != decimal(
        other, places)), decimal(value, 6))


def _span(numbers: Sequence[int]) -> str:
    return (f"epoch {numbers[0]}" if len(numbers) == 1
            else f"epochs {numbers[0]} to {numbers[-1]}")
