"""Ctrl-C, SIGTERM and their kind, at every moment."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from plankton_features import read_features
from plankton_features.cli import info
from plankton_features.cli.stopping import stoppable

PROGRAM = [sys.executable, "-c", "import sys; from plankton_features.cli.start import "
           "main; sys.exit(main())"]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def stopped_within(run):
    """What is raised by a run of `Stopping`, and which signal asked for it."""
    with stoppable() as stopping:
        with pytest.raises(KeyboardInterrupt):
            stopping.run(run)
        return stopping.number


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_work(number):
    before = [signal.getsignal(one) for one in SIGNALS]
    assert stopped_within(lambda: signal.raise_signal(number)) == number
    assert [signal.getsignal(one) for one in SIGNALS] == before


def wait():
    time.sleep(60)


def test_an_import_is_not_cut(tmp_path, monkeypatch):
    """Half of a module is worse than a moment more; asked again, it ends at once."""
    (tmp_path / "whole.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\ndone = True\n")
    (tmp_path / "cut.py").write_text(
        "import signal\nfor _ in range(2):\n    signal.raise_signal(signal.SIGINT)\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def whole():
        import whole
        assert whole.done
        wait()

    def cut():
        import cut  # noqa: F401
        raise AssertionError

    assert stopped_within(whole) == signal.SIGINT
    assert stopped_within(cut) == signal.SIGINT


def test_a_request_that_python_drops_is_repeated(capsys):
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0)

    def work():
        Dropping()
        wait()

    assert stopped_within(work) == signal.SIGTERM
    assert capsys.readouterr() == ("", "")


def test_ignored_signals_stay_ignored():
    """As `nohup` and jobs in the background want it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stopping:
            assert stopping.run(lambda: signal.raise_signal(signal.SIGHUP) or 5) == 5
    finally:
        signal.signal(signal.SIGHUP, before)


def test_threads_handle_no_signals(run, tmp_path):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run("info", tmp_path / "no.h5")[0]))
    thread.start()
    thread.join()
    assert codes == [1]


@pytest.mark.parametrize("number", SIGNALS)
def test_what_a_signal_made_fail_is_not_told(run, monkeypatch, number):
    def work(_):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise ImportError("half a module") from None

    monkeypatch.setattr(info, "run", work)
    assert run("info", "x.h5") == (128 + number, "", "error: interrupted.\n")


def shown_of_python_itself(err):
    """Whether it was stopped before a line of this package could run."""
    return "init_import_site" in err or (
        'File "<string>", line 1, in <module>' in err and "in _run" not in err)


def test_jobs_in_the_background_hear_no_interrupt(images, tmp_path):
    """A shell has them ignore it, as `nohup` has SIGHUP ignored."""
    code = ("import os, signal, subprocess, sys\nfrom plankton_features.cli import start\n"
            "from plankton_features.store.writer import FeatureStore\n"
            "append = FeatureStore.append\n"
            "def hit(self, block):\n    append(self, block)\n    os.kill(os.getpid(), 2)\n"
            "FeatureStore.append = hit\nsys.exit(start.main())")
    command = [sys.executable, "-c", code, "extract", images, tmp_path / "out.h5",
               "--backbone", "pixels", "--canvas", "32"]
    subprocess.run(["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command], check=True,
                   capture_output=True)
    assert len(read_features(tmp_path / "out.h5")) == 12


def test_stopped_at_any_moment(images, tmp_path):
    """In imports, at work, at the end: no traceback, and the next run ends as if undisturbed."""
    output = tmp_path / "out.h5"
    command = [*PROGRAM, "extract", images, output, "--backbone", "pixels", "--canvas", "32"]
    codes = []
    for i in range(12):
        with subprocess.Popen(command, text=True, start_new_session=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            started = time.monotonic()
            while time.monotonic() - started < 0.5 * i / 11:
                time.sleep(0.001)
            os.killpg(run.pid, signal.SIGINT)  # as a terminal does it
            out, err = run.communicate()
        codes.append(run.returncode)
        assert "Traceback" not in out + err or shown_of_python_itself(err), err
        if "error: interrupted" in err:
            assert run.returncode == 130
        if run.returncode == 0:
            output.unlink()
    assert {130, -signal.SIGINT} & set(codes)
    # Before Python handles signals they end it, and while it starts it says so itself.
    assert set(codes) <= {0, 1, 130, -signal.SIGINT}
    subprocess.run(command, check=True, capture_output=True)
    assert len(read_features(output)) == 12
    assert {path.name for path in tmp_path.iterdir()} == {"imgs", "out.h5"}
