"""Errors that tell a person what is wrong and what to do next.

Every error the library raises on purpose derives from `PlanktonFeaturesError` and
also from the built-in type a caller would expect, so ``except ValueError`` works.
"""

from __future__ import annotations

from collections.abc import Mapping


class PlanktonFeaturesError(Exception):
    """Base of all errors raised on purpose by this package."""


class InputError(PlanktonFeaturesError, ValueError):
    """The images, the table or an option given by the user cannot be used."""


class StoreError(PlanktonFeaturesError, OSError):
    """A feature file is missing, damaged or locked, or a file cannot be written."""


class MismatchError(PlanktonFeaturesError, ValueError):
    """Two things that must agree (recipes, catalogs, engines) do not.

    Attributes
    ----------
    fields : dict of str to tuple
        Differing field name to the pair (found, asked for).
    """

    def __init__(self, message: str, fields: dict[str, tuple[object, object]]):
        super().__init__(message)
        self.fields = fields


class OtherPicturesError(MismatchError):
    """Under the names of a feature file's images lie other pictures than it was made from."""


def check_same(found: Mapping[str, object], asked: Mapping[str, object], what: str,
               next_step: str, *, whole: bool = False) -> None:
    """Refuse to mix things that were made differently.

    Parameters
    ----------
    found, asked : mapping of str to object
        Compared at the names in `asked`.
    what : str
        Begins the message, such as ``out.h5: made with another recipe``.
    next_step : str
        Ends the message.
    whole : bool, default=False
        Compare at the names in `found` too; recipes leave out what is as it always was.

    Raises
    ------
    MismatchError
        If they differ; the message has one line for each differing field.
    """
    if whole:
        default = dict.fromkeys({**found, **asked}, "the default")
        found, asked = {**default, **found}, {**default, **asked}
    pairs = {name: (found.get(name), value) for name, value in asked.items()}
    different = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if different:
        lines = "\n".join(f"  {k}: found {_shown(a)}, asked for {_shown(b)}"
                          for k, (a, b) in different.items())
        raise MismatchError(f"{what}. These differ:\n{lines}\n{next_step}", different)


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


class WeightsError(PlanktonFeaturesError, OSError):
    """Network weights are missing, cannot be fetched, or are not what they should be."""


class EngineError(PlanktonFeaturesError, RuntimeError):
    """The asked for engine or numeric precision cannot be had on this machine."""


class PluginError(PlanktonFeaturesError, ImportError):
    """An engine or backbone of another package cannot be loaded."""


class HeadError(PlanktonFeaturesError, OSError):
    """A head file is missing, damaged or foreign."""


class ImageFailure(PlanktonFeaturesError):
    """One image that cannot be used.

    Attributes
    ----------
    stage : str
        Where it failed: ``list``, ``read``, ``decode``, ``frame`` or ``embed``.
    reason : str
        One line for a person.
    """

    def __init__(self, stage: str, reason: str):
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason


def one_line(error: BaseException, most: int = 200) -> str:
    """The message of an error without its line breaks, or its type if it has none.

    Parameters
    ----------
    error : BaseException
    most : int, default=200
        Letters.

    Returns
    -------
    str

    Examples
    --------
    >>> one_line(ValueError("what\\n   happened")), one_line(KeyError())
    ('what happened', 'KeyError')
    """
    return " ".join(str(error).split())[:most] or type(error).__name__


def counted(n: int, one: str) -> str:
    """A number and what it counts, in the singular for 1.

    Parameters
    ----------
    n : int
    one : str
        Singular of a noun with a regular plural, and words after it.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "image"), counted(1200, "class"), counted(2, "vector of the file")
    ('1 image', '1,200 classes', '2 vectors of the file')
    """
    noun, *rest = one.split(" ")
    many = noun + ("es" if noun.endswith("s") else "s")
    return " ".join([f"{n:,}", noun if n == 1 else many, *rest])
