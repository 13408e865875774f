"""Attributes of a stored object, asked for one by one: by type, shape and range."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from sklearn.tree._tree import NODE_DTYPE

from plankton_features.errors import HeadError

#: Largest number that a classifier may hold: products of two stay within float32.
MOST = 1e18
FLOATS, WHOLE = ("float32", "float64"), ("int64", "int32")
#: Arrays of a forest: column -> the one that it is as long as, and its type; whole numbers may be
#: in half the room.
NODE_COLUMNS = tuple(f"node_{name}" for name in NODE_DTYPE.names)
TREE_COLUMNS: dict[str, tuple[str, str]] = {
    "n_nodes": ("n_nodes", "int64"), "depth": ("n_nodes", "int64"),
    **{column: ("node_feature", NODE_DTYPE[name].name)
       for name, column in zip(NODE_DTYPE.names, NODE_COLUMNS, strict=True)},
    "value_node": ("value", "int64"), "value_class": ("value", "int64"),
    "value": ("value", "float64"),
}
_PLAIN = (bool, int, float, str, type(None), tuple, list, dict, np.number, np.bool_)


class Stored:
    """A fitted object from a file, of which nothing is believed yet.

    Parameters
    ----------
    owner : object
        Attributes that are neither its parameters nor in `fitted` are taken away: none of them
        can then stand in the place of a method, or be looked at unchecked.
    fitted : collection of str
        What fitting adds.
    """

    def __init__(self, owner: Any, fitted: Collection[str]):
        self.owner, self._values = owner, vars(owner)
        parameters = vars(type(owner)()).keys()
        for name in self._values.keys() - parameters - set(fitted):
            del self._values[name]
        for name in parameters & self._values.keys():
            self.need(name, isinstance(self._values[name], _PLAIN) or name in fitted,
                      "a plain value")
        if self._values.get("verbose"):
            self._values["verbose"] = False  # predictions say nothing

    def array(self, name: str, shape: tuple[int, ...], dtypes: Collection[str] = FLOATS,
              least: float = -MOST) -> np.ndarray:
        """An array of finite numbers of this shape, from `least` to `MOST`."""
        return checked_array(self._values.get(name), shape, dtypes, least,
                             called=self._called(name))

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self._values.get(name)
        self.need(name, isinstance(value, int | np.integer) and not isinstance(value, bool),
                  "a whole number")
        return int(value)

    def equal(self, name: str, *allowed: Any) -> Any:
        """One of these values, of the same type."""
        value = self._values.get(name)
        self.need(name, any(type(value) is type(one) and value == one for one in allowed),
                  " or ".join(map(str, allowed)))
        return value

    def number(self, name: str, expected: int) -> None:
        """This whole number."""
        self.need(name, self.whole(name) == expected, str(expected))

    def classes(self, n_classes: int, least: int = 1) -> int:
        """Number of classes that were seen: `least` or more of 0..n_classes-1, rising."""
        value = self._values.get("classes_")
        size = value.shape if isinstance(value, np.ndarray) and value.ndim == 1 else (least,)
        seen = self.array("classes_", size, WHOLE, 0)
        self.need("classes_", len(seen) >= least and bool((np.diff(seen) > 0).all())
                  and int(seen[-1]) < n_classes, f"rising numbers of 0..{n_classes - 1}")
        return len(seen)

    def get(self, name: str) -> Any:
        """Whatever it is; None if it is not there."""
        return self._values.get(name)

    def need(self, name: str, fits: bool, expected: str) -> None:
        """Refuse an attribute that does not fit."""
        if not fits:
            raise HeadError(f"{self._called(name)} cannot be right: expected {expected}, got "
                            f"{shown(self._values.get(name))}")

    def _called(self, name: str) -> str:
        return f"{type(self.owner).__name__}.{name}"


def checked_array(value: Any, shape: tuple[int, ...], dtypes: Collection[str] = FLOATS,
                  least: float = -MOST, *, called: str) -> np.ndarray:
    """Refuse what is no array of finite numbers of this shape, from `least` to `MOST`."""
    if not (type(value) is np.ndarray and value.shape == shape and value.dtype.name in dtypes):
        raise HeadError(f"{called} cannot be right: expected {' or '.join(dtypes)} of shape "
                        f"{shape}, got {shown(value)}")
    if value.size and not (value.min() >= least and value.max() <= MOST):  # of NaN as well
        raise HeadError(f"{called} cannot be right: expected numbers {least:g} to {MOST:g}, got "
                        f"{value.min():g} to {value.max():g}")
    return value


def shown(value: Any) -> str:
    """A value in few letters."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return "none" if value is None else repr(value)[:60]
