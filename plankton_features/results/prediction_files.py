"""Tables of predictions written block by block: CSV, or Parquet by the ending of the name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd

from plankton_features.csv_writing import exact_numbers, write_csv
from plankton_features.errors import InputError
from plankton_features.files.locking import WriteLock
from plankton_features.files.replacing import replacing
from plankton_features.files.targets import check_output

WriteTable = Callable[[pd.DataFrame], None]

#: Rows of a row group, which a reader of Parquet takes at once.
_GROUP_ROWS = 65_536


@contextmanager
def predictions_file(target: Path | IO[str], overwrite: bool = False) -> Iterator[WriteTable]:
    """What writes tables of the same columns one below the other.

    Parameters
    ----------
    target : Path or text file
        A path is written to only when all is done: Parquet if it ends with ``.parquet``, else CSV
        (UTF-8, comma).
    overwrite : bool, default=False
        Whether a file that is there may be replaced.

    Yields
    ------
    callable of DataFrame

    Raises
    ------
    InputError
        If a file is there and may not be replaced, or pyarrow is not installed for Parquet.
    StoreError
        If another process writes it, or writing fails; a file that was there is as before.
    """
    if not isinstance(target, Path):
        yield _Csv(target).write
        return
    check_format(target)
    with WriteLock(target):
        check_output(target, overwrite)
        if is_parquet(target):
            with replacing(target, "wb") as file, _Parquet(file) as table:
                yield table.write
        else:
            with replacing(target, "w", encoding="utf-8", newline="") as file:
                yield _Csv(file).write


def is_parquet(path: Path) -> bool:
    """Whether a name is that of a Parquet file."""
    return path.suffix.lower() == ".parquet"


def check_format(target: Path) -> None:
    """Refuse a format that cannot be written here.

    Raises
    ------
    InputError
    """
    if is_parquet(target) and importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{target}: Parquet needs pyarrow, which is not installed. "
                         'pip install "plankton_features[parquet]", or give a name that ends with '
                         ".csv.")


class _Csv:
    """Numbers have six digits, extra columns all; the first table brings names of columns."""

    def __init__(self, file: IO[str]):
        self._file, self._begun = file, False

    def write(self, table: pd.DataFrame) -> None:
        """Write further rows."""
        write_csv(exact_numbers(table), self._file, header=not self._begun, float_format="%.6g")
        self._begun = True


class _Parquet:
    """Text and whole numbers as they are, other numbers as doubles; NaN becomes null."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._writer: Any = None
        self._waiting: list[Any] = []

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pd.DataFrame) -> None:
        """Write further rows."""
        import pyarrow as pa

        columns = {str(name): _arrow(table[name]) for name in table}
        self._waiting.append(pa.table(columns))
        if sum(map(len, self._waiting)) >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if not self._waiting:
            return
        rows = pa.concat_tables(self._waiting)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, rows.schema, compression="zstd")
        self._writer.write_table(rows, row_group_size=len(rows))
        self._waiting = []


def _arrow(column: pd.Series) -> Any:
    import pyarrow as pa

    kind = column.dtype.kind if hasattr(column.dtype, "kind") else "O"
    types = {"f": pa.float64(), "i": pa.int64(), "u": pa.int64(), "b": pa.bool_()}
    return pa.array(column, types.get(kind, pa.string()), from_pandas=True)
