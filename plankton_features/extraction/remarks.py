"""What is odd about pictures that were read all the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from plankton_features.store import FeatureFile

#: A picture of less contrast is nearly constant: 12 bits taken for 16 cannot have as much.
LEAST_CONTRAST = 17


@dataclass(frozen=True)
class Remarks:
    """How many pictures are odd, and how.

    Attributes
    ----------
    full_scales : dict of float to int
        Pictures of more than 8 bits, by the sample value that became white.
    flat : int
        Pictures whose values all lie within `LEAST_CONTRAST` of 256.
    several_pages : int
        Files of several pages or frames, of which the first was read.
    """

    full_scales: dict[float, int] = field(default_factory=dict)
    flat: int = 0
    several_pages: int = 0

    @property
    def mixed(self) -> bool:
        """Whether one sample value means different greys in different pictures."""
        return len(self.full_scales) > 1


def remarks_of(images: pd.DataFrame) -> Remarks:
    """What is odd about pictures.

    Parameters
    ----------
    images : DataFrame
        With columns ``full_scale`` (the sample value that became 255; 0 if samples have 8 bits),
        ``contrast`` (largest less least value, 0..255; -1 if it is not known) and
        ``several_pages`` (0 or 1), such as `FeatureFile.images`.

    Returns
    -------
    Remarks

    Examples
    --------
    >>> remarks_of(pd.DataFrame({"full_scale": [0, 4095, 4095], "contrast": [200, 3, 90],
    ...                          "several_pages": [0, 0, 1]}))
    Remarks(full_scales={4095.0: 2}, flat=1, several_pages=1)
    """
    deep = images["full_scale"][images["full_scale"] > 0]
    scales = Counter(float(full) for full in deep)
    return Remarks(dict(sorted(scales.items())),
                   int(images["contrast"].between(0, LEAST_CONTRAST - 1).sum()),
                   int((images["several_pages"] > 0).sum()))


def remarks_on(file: FeatureFile) -> Remarks:
    """What is odd about the pictures of a feature file.

    Parameters
    ----------
    file : FeatureFile

    Returns
    -------
    Remarks
        None is known of files that earlier versions wrote.
    """
    return remarks_of(file.columns("full_scale", "contrast", "several_pages"))
