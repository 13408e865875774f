"""Tables as CSV in which every line break of a name is quoted."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write_csv(frame: pd.DataFrame, file: IO[str], **options: Any) -> None:
    """Write a table with commas and lines that end with a line feed, without its index.

    The csv module quotes a line break only if it is one that ends lines. With a carriage return in
    the name of a file, readers would find two rows.

    Parameters
    ----------
    frame : DataFrame
    file : text file
        Opened with ``newline=""``.
    **options
        Of `DataFrame.to_csv`.

    Examples
    --------
    >>> import pandas as pd
    >>> write_csv(pd.DataFrame({"path": ["a\\rb.png"], "id": [7]}), text := io.StringIO(newline=""))
    >>> text.getvalue()
    'path,id\\n"a\\rb.png",7\\n'
    """
    frame.to_csv(_Lines(file), index=False, lineterminator="\r\n", **options)


def exact_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns of pandas' type ``Float64`` are text with all digits; NaN is ``NaN``.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> exact_numbers(pd.DataFrame({"x": pd.array([1 / 3, 5, None], "Float64")}))["x"].tolist()
    ['0.3333333333333333', '5', '']
    """
    return frame.assign(**{name: [_exact(value) for value in frame[name].array.astype(object)]
                           for name, kind in frame.dtypes.items() if str(kind) == "Float64"})


def _exact(value: Any) -> str:
    if not isinstance(value, float):  # missing
        return ""
    return "NaN" if value != value else repr(float(value)).removesuffix(".0")


class _Lines(io.TextIOBase):
    """Ends lines, which the csv module writes one at a time, with a line feed alone."""

    def __init__(self, file: IO[str]):
        self.file = file

    def writable(self) -> bool:
        """Ask the file no further: pandas writes only."""
        return True

    def write(self, line: str) -> int:
        """Write one whole line."""
        return self.file.write(line.removesuffix("\r\n") + "\n")
