"""Which vignettes of a map can be drawn without lying on others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Window(NamedTuple):
    """What a map shows.

    Attributes
    ----------
    centre : ndarray of float64, shape (2,)
    scale : float
        Units of the data in each px, the same in both directions.
    width, height : int
        In px.
    """

    centre: Floats
    scale: float
    width: int
    height: int

    @classmethod
    def around(cls, places: Floats, width: int, height: int, margin: int = 40) -> Window:
        """The window that shows all places, with a margin in px.

        Examples
        --------
        >>> Window.around(np.array([[0., 0.], [10., 2.]]), 180, 180).scale
        0.1
        """
        least, most = places.min(axis=0), places.max(axis=0)
        room = np.array([width, height], np.float64) - 2 * margin
        return cls((least + most) / 2, float(((most - least) / room).max()) or 1.0, width, height)

    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Least and most of x, and of y."""
        half = self.scale * np.array([self.width, self.height]) / 2
        low, high = (self.centre - half).tolist(), (self.centre + half).tolist()
        return (low[0], high[0]), (low[1], high[1])


def spread_out(places: Floats, sizes: Floats, seed: int = 0) -> tuple[NDArray[np.int64], int]:
    """Order rows so that the boxes of the first ones do not overlap.

    Parameters
    ----------
    places, sizes : ndarray of float64, shape (n, 2)
        Centre, and width and height of each row's box, in px.
    seed : int

    Returns
    -------
    order : ndarray of int64, shape (n,)
    n_apart : int
        How many come first.

    Examples
    --------
    >>> places = np.array([[0., 0.], [3., 1.], [50., 0.]])
    >>> order, n_apart = spread_out(places, np.full((3, 2), 10.))
    >>> n_apart, 2 in order[:2]
    (2, True)
    """
    cell = sizes.max(initial=1.0)
    taken: dict[tuple[int, int], list[int]] = {}
    chosen, others = [], []
    for row in np.random.default_rng(seed).permutation(len(places)):
        column, line = (int(v) for v in places[row] // cell)
        near = [one for i in (-1, 0, 1) for j in (-1, 0, 1)
                for one in taken.get((column + i, line + j), ())]
        apart = np.abs(places[near] - places[row]) * 2 >= sizes[near] + sizes[row]
        if apart.any(axis=1).all():
            chosen.append(row)
            taken.setdefault((column, line), []).append(row)
        else:
            others.append(row)
    return np.array([*chosen, *others], np.int64), len(chosen)
