"""Import packages in this process, which may not survive it; see `import_problems`.

``python -m plankton_features.diagnosis.importing ANSWER.jsonl PACKAGE...``
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_LONGEST_SECONDS = 300.0  # a network drive can be slow at a first import
#: Modules whose name is not that of the package; they load what is compiled too.
_MODULES = {"pillow": "PIL.Image", "scikit-learn": "sklearn.linear_model",
            "imbalanced-learn": "imblearn.over_sampling", "scikit-image": "skimage.transform"}


def import_problems(names: list[str]) -> dict[str, str]:
    """Import packages in one process of its own.

    Parameters
    ----------
    names : list of str
        Names of packages, as pip knows them.

    Returns
    -------
    dict of str to str
        What went wrong, in one line, for each package that cannot be imported. A package that ends
        the process, or takes too long, is the last one that was tried.
    """
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.jsonl"
        command = [sys.executable, "-m", __name__, str(answer), *names]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_LONGEST_SECONDS,
                                  check=False)
            end = f"importing it ended the process with code {done.returncode}"
        except subprocess.TimeoutExpired:
            end = f"not imported after {_LONGEST_SECONDS:.0f} s"
        lines = answer.read_text(encoding="utf-8").splitlines() if answer.is_file() else []
    found = dict(json.loads(line) for line in lines)
    missing = [name for name in names if name not in found]
    return {name: text for name, text in found.items() if text} | dict.fromkeys(missing[:1], end)


def _problem(name: str) -> str:
    try:
        importlib.import_module(_MODULES.get(name, name.replace("-", "_")))
    # Versions of libraries that do not fit together raise errors of any kind.
    except Exception as error:  # noqa: BLE001
        return " ".join(f"{type(error).__name__}: {error}".split())[:400]
    return ""


if __name__ == "__main__":
    file, *packages = sys.argv[1:]
    with Path(file).open("w", encoding="utf-8", buffering=1) as answers:  # each line at once
        for package in packages:
            answers.write(json.dumps([package, _problem(package)]) + "\n")
