"""What long work shows while it runs, on a terminal and in a log."""

import sys

import pytest

from plankton_features.cli import display
from plankton_features.cli.training_display import TrainingDisplay
from plankton_features.finetuning.phases import TuneProgress

RECORD = {"loss": 0.5, "validation_loss": 0.75, "mcc": 0.625, "macro_f1": 0.5,
          "images_per_second": 1234.5, "waiting": 0.07}


def progress(step, record=None):
    return TuneProgress(phase=2, epoch=3, n_epochs=9, step=step, n_steps=40, loss=1.25,
                        images_per_second=99.6, seconds_left=75, record=record)


@pytest.fixture(params=[True, False], ids=["terminal", "log"])
def on_terminal(request, capsys, monkeypatch):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: request.param)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(display, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("plankton_features.cli.training_display.SECONDS_BETWEEN_LINES", 0)
    return request.param


def test_training_is_told(on_terminal, capsys):
    with TrainingDisplay() as shown:
        shown(progress(40, RECORD))
        shown(progress(7))
    told = capsys.readouterr().err
    assert "epoch 3 of 9: loss 0.500, validation 0.750, MCC 0.625, macro-F1 0.500" in told
    assert "1,234 images/s, 7 % waiting" in told
    assert "loss 1.250, validation MCC 0.625, 100 images/s, 1:15 left" in told
    assert ("\x1b[" in told) == on_terminal


@pytest.mark.usefixtures("on_terminal")
def test_what_is_computed_once_is_told(capsys):
    with TrainingDisplay() as shown:
        shown.steps(10, 40, "frozen layers")
    told = capsys.readouterr().err
    assert "frozen layers" in told
    assert "10 of 40 images" in told


@pytest.mark.usefixtures("on_terminal")
def test_quiet_training_tells_nothing(capsys):
    with TrainingDisplay(quiet=True) as shown:
        shown.steps(10, 40, "frozen layers")
        shown(progress(40, RECORD))
    assert capsys.readouterr() == ("", "")


def test_steps_are_told(on_terminal, capsys):
    with display.shown_steps() as step:
        step(0, 3, "folds")
        step(1, 3, "folds [1]")
    told = capsys.readouterr().err
    assert ("folds [1]" if on_terminal else "folds") in told
    assert ("left" in told) == on_terminal
