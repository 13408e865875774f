"""Options that are not given are those of the run that was broken off."""

import argparse
import json
from pathlib import Path

import pytest

from plankton_features.cli import fine_tune
from plankton_features.cli.resuming import keep_options, settled
from plankton_features.errors import StoreError


def parsed(*argv):
    parser = argparse.ArgumentParser()
    fine_tune.add_arguments(parser)
    return parser.parse_args([str(a) for a in argv])


def chosen(args):
    return {name: getattr(args, name) for name in args.defaults}


def test_without_a_run_before_the_defaults_are_what_they_were():
    args = settled(parsed("imgs", "m.keras"), None)
    assert (args.epochs, args.seed, args.sampler, args.deterministic) == (20, 0, "none", False)
    assert (args.test_size, args.export, args.head_epochs) == (0.2, (), None)


def test_what_is_given_comes_before_what_was_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = settled(parsed("imgs", "m.keras", "--epochs", 3, "--floor", 12, "--deterministic",
                           "--layer", "a,b", "--taxonomy", "tree.csv", "--quiet"), None)
    keep_options(first, tmp_path)
    again = settled(parsed("imgs", "m.keras", "--resume", "--floor", 13), tmp_path)
    assert (again.epochs, again.floor, again.deterministic) == (3, 13, True)
    assert list(again.layers) == ["a", "b"]
    assert again.taxonomy == tmp_path / "tree.csv"
    assert (again.quiet, again.resume, again.images) == (False, True, Path("imgs"))


def test_a_default_that_is_given_is_given(tmp_path):
    keep_options(settled(parsed("imgs", "m.keras", "--epochs", 3), None), tmp_path)
    assert settled(parsed("imgs", "m.keras", "--resume", "--epochs", 20), tmp_path).epochs == 20


def test_a_folder_of_the_version_before_has_none(tmp_path):
    assert settled(parsed("imgs", "m.keras", "--resume"), tmp_path).epochs == 20


@pytest.mark.parametrize("content", ["", "[]", '{"taxonomy": {}}'])
def test_damaged_options_are_told(tmp_path, content):
    (tmp_path / "options.json").write_text(content)
    with pytest.raises(StoreError, match=r"options\.json: cannot be read"):
        settled(parsed("imgs", "m.keras", "--resume"), tmp_path)


def test_options_that_are_not_known_are_passed_over(tmp_path):
    (tmp_path / "options.json").write_text(json.dumps({"epochs": 3, "run": 4, "output": "x"}))
    args = settled(parsed("imgs", "m.keras", "--resume"), tmp_path)
    assert (args.epochs, args.output) == (3, Path("m.keras"))
    assert not hasattr(args, "run")
