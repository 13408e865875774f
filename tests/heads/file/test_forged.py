"""Whatever a stranger writes into a head file: it is refused in words, or it predicts."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from forging import heads

from plankton_features.errors import HeadError, InputError
from plankton_features.heads import load_head
from plankton_features.heads.file.persistence import save_head

SEEDS, MUTANTS, MOST_BYTES = 4, 300, int(1.5 * 2**30)
#: Runs in a process of its own, which a forged head could end, with little memory.
RUN = """
import json, resource, sys, warnings
from pathlib import Path
import numpy as np
from forging import heads
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]),) * 2)
warnings.simplefilter("error")
def outcome(judge, forge, *seed):
    try:
        return str(judge(forge(Path(sys.argv[1]), np.random.default_rng(seed))))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
for name, forge in heads.FORGERIES.items():
    found = [outcome(heads.outcome, forge, 0, i) for i in range(int(sys.argv[3]))]
    print(json.dumps([name, found]), flush=True)
print(json.dumps(["mutants", [outcome(heads.predicts, heads.mutated, 1, i)
                              for i in range(int(sys.argv[4]))]]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Name of the forgery -> what came of each."""
    argv = [str(tmp_path_factory.mktemp("forged")), str(MOST_BYTES), str(SEEDS), str(MUTANTS)]
    paths = [str(Path(__file__).parents[i]) for i in (2, 3)]
    done = subprocess.run([sys.executable, "-c", RUN, *argv], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, check=False)
    return dict(map(json.loads, done.stdout.splitlines())) | {"end": done}


@pytest.mark.parametrize("name", heads.FORGERIES)
def test_a_forged_head_is_refused_or_harmless(outcomes, name):
    assert name in outcomes, outcomes["end"]
    assert set(outcomes[name]) <= {"refused", "same"}, outcomes[name]
    if name != "attributes for methods":  # which are taken away
        assert "refused" in outcomes[name]


def test_a_mutated_head_is_refused_or_predicts(outcomes):
    """Finite probabilities that sum to 1, of classes that there are."""
    assert set(outcomes["mutants"]) == {"True", "False"}, outcomes["mutants"]


@pytest.mark.parametrize("calibration", heads.CALIBRATIONS)
@pytest.mark.parametrize("kind", heads.KINDS)
def test_the_sound_heads_are_sound(tmp_path, kind, calibration):
    """Also when they were taken apart and put together again: or all would be refused."""
    path = tmp_path / f"0~{kind}~{calibration}.head"
    path.write_bytes(heads.Parts(heads.sound_bytes(kind, calibration)).content())
    assert heads.outcome(path) == "same"


def test_the_sum_of_what_is_named_is_bounded_before_it_is_read(tmp_path, monkeypatch):
    """10 kB that name one array 400 times would be 13 GB."""
    path = heads.forgery(heads.one_array_many_times, "logistic")(tmp_path,
                                                                 np.random.default_rng(0))
    monkeypatch.setattr("numpy.load", None)
    with pytest.raises(HeadError, match=r"the classifier takes .* GB, of a file of this size"):
        load_head(path)


def test_a_head_within_a_network_is_checked_alike(tmp_path):
    forged = heads.FORGERIES["counts of nodes that overflow"](tmp_path, np.random.default_rng(0))
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "a.keras", "w", how) as archive:
            archive.writestr("plankton_features/head", forged.read_bytes() + bytes(
                2**24 if how else 0))
        with pytest.raises(HeadError, match=r"a\.keras: .*(expected at most|do not fit)"):
            load_head(tmp_path / "a.keras")


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "out.head")
    with pytest.raises(HeadError, match="a pipe or device, expected a head file"):
        load_head(tmp_path / "out.head")


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    path = tmp_path / "0~logistic~none.head"
    path.write_bytes(heads.sound_bytes("logistic"))
    head = load_head(path)
    object.__setattr__(head, "feature_names", ("x" * 10_000,) * heads.D)
    vars(head).pop("description", None)
    with pytest.raises(HeadError, match="feature_names cannot be right"):
        save_head(head, tmp_path / "out.head")
    assert not (tmp_path / "out.head").exists()


def test_curves_for_each_class(tmp_path):
    path = tmp_path / "0~lda~isotonic.head"
    path.write_bytes(heads.sound_bytes("lda", "isotonic"))
    head = load_head(path)
    parts = {name: getattr(head, name) for name in type(head).__dataclass_fields__}
    curves = type(head.calibrator)("isotonic", head.calibrator.curves[:3])
    with pytest.raises(InputError, match="has 3 curves, expected one for each of 4 classes"):
        type(head)(**{**parts, "calibrator": curves})
