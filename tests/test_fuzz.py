"""A short run of `benchmarks/fuzz.py`, and what it must notice."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module  # its processes look it up
    sys.path.insert(0, str(FILE.parent))
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FILE.parent))


@pytest.mark.parametrize(("many", "few"), [
    ("120", "40"), pytest.param("800", "160", marks=[pytest.mark.whole, pytest.mark.slow])])
def test_a_short_run(many, few):
    """Forgeries by their kinds are in the tests of heads, networks and feature files."""
    done = subprocess.run(
        [sys.executable, FILE, "--images", many, "--tables", many, "--heads", few,
         "--features", few, "--forged", "0", "--seed", "7"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(row[0], row[1]) for row in rows[1:]] == [
        ("images", many), ("tables", many), ("heads", few), ("features", few)]
    for row in rows[1:]:
        taken, refused, *bad = map(int, row[2:8])
        assert min(taken, refused) > 5  # the damage was neither too much nor too little
        assert not any(bad)


@pytest.mark.parametrize(("name", "outcome"), [
    ("crash", "crashes"), ("hang", "hangs"), ("unexpected", "unexpected"),
    ("wrong rows", "wrong rows"), ("memory", "taken"), ("sound", "taken")])
def test_what_is_noticed(fuzz, monkeypatch, name, outcome):
    monkeypatch.setattr(fuzz, "HANG", 1.0 if name == "hang" else 60.0)
    n = 1 if name in ("hang", "memory") else 3
    tally = fuzz.watched(f"itself: {name}", range(n), seed=0)
    assert tally.outcomes == {outcome: n}
    assert tally.ok == (name == "sound")
