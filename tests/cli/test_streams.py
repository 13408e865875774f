"""Nobody reads, the disk is full, descriptors are closed, strangers' names, interrupts."""

import fcntl
import json
import os
import pty
import random
import resource
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from rich.table import Table
from rich.text import Text

from plankton_features import read_features
from plankton_features.cli.display import Console
from plankton_features.cli.main import main
from plankton_features.cli.options import names
from plankton_features.cli.streams import visible, visible_json

PROGRAM = [sys.executable, "-m", "plankton_features"]
PIXELS = ("--backbone", "pixels", "--canvas", "16", "--views", "none")
HOSTILE = "a\x1b[2J\x9b\rb\nFORGED: verified\u202etxt.exe"


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_vignettes):
    """Images, a feature file, a second one, and a head."""
    root = tmp_path_factory.mktemp("streams")
    make_vignettes(root / "imgs", 60)
    for name in ("f", "g"):
        assert here("extract", root / "imgs", root / f"{name}.h5", *PIXELS, "--quiet") == 0
    assert here("fit", root / "f.h5", "--folds", "3", "--quiet") == 0
    return root


def here(*line):
    """Run the command line in this process; the exit code."""
    try:
        return main([str(part) for part in line])
    except SystemExit as end:
        return end.code


COMMANDS = {
    "extract": ("extract", "{root}/imgs", "{new}/o.h5", *PIXELS),
    "fit": ("fit", "{root}/f.h5", "-o", "{new}/o", "--folds", "3"),
    "classify": ("classify", "{root}/f.head", "{root}/imgs", "-o", "{new}/o.csv"),
    "merge": ("merge", "{root}/f.h5", "{root}/g.h5", "-o", "{new}/o.h5", "--prefix"),
    "info": ("info", "{root}/f.h5"),
    "info --problems": ("info", "{root}/f.h5", "--problems"),
    "verify": ("verify", "{root}/f.h5", "{root}/imgs"),
    "predictions": ("classify", "{root}/f.head", "{root}/f.h5", "-o", "-"),
    "dry run": ("extract", "{root}/imgs", "--dry-run", *PIXELS),
    "help": ("fit", "--help"),
}
WRITES = {"extract": {"o.h5"}, "classify": {"o.csv", "o.features.h5"}, "merge": {"o.h5"},
          "fit": {"o.head", "o.report.html", "o.results.json", "o.predictions.csv"}}
PRINTS = {"info", "info --problems", "predictions", "dry run", "help"}


def command(name, world, new):
    return [*PROGRAM, *(part.format(root=world, new=new) for part in COMMANDS[name])]


def written(folder):
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def unread(line, **options):
    """Run with a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(line, stdout=writing, stderr=writing, check=False, **options)
    finally:
        os.close(writing)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pipe_that_nobody_reads(name, world, tmp_path):
    done = unread(command(name, world, tmp_path))
    assert done.returncode == (1 if name in PRINTS else 0)
    assert written(tmp_path) == WRITES.get(name, set())


def test_progress_that_nobody_reads(world, tmp_path):
    """A line at every image; the work ended at the first one, with 0."""
    names = ("extract", "fit", "classify")
    lines = [command(name, world, tmp_path)[3:] for name in names]
    program = ("import sys; from plankton_features.cli import display, main\n"
               "display.SECONDS_BETWEEN_LINES = 0\n"
               f"sys.exit(any([main.main(line) for line in {lines}]))")
    assert unread([sys.executable, "-c", program]).returncode == 0
    assert written(tmp_path) == set.union(*(WRITES[name] for name in names))


@pytest.mark.parametrize("name", COMMANDS)
def test_closed_descriptors(name, world, tmp_path):
    """Else the first file that is opened gets the number that libraries print to."""
    line = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command(name, world, tmp_path)]
    done = subprocess.run(line, check=False)
    assert done.returncode == (1 if name in PRINTS else 0)
    assert written(tmp_path) == WRITES.get(name, set())
    if (tmp_path / "o.h5").exists():
        file = read_features(tmp_path / "o.h5")
        assert np.isfinite(file.X).all()
        assert len(file.images) == len(file)


def test_results_that_a_full_disk_cuts_off_are_told(world, tmp_path):
    """A limit on the size of files stands for the disk."""
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            command("predictions", world, tmp_path), stdout=out, stderr=subprocess.PIPE,
            check=False, text=True, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY)))
    assert done.returncode == 1
    assert "standard output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out").stat().st_size == 200


def test_what_is_read_is_whole(world, tmp_path):
    done = subprocess.run(command("predictions", world, tmp_path), capture_output=True,
                          check=True, text=True)
    assert done.stdout.count("\n") == 1 + len(read_features(world / "f.h5")) + read_features(
        world / "f.h5").count("duplicates")


def test_a_stream_that_does_not_wait():
    """A pipe that another program has set not to wait gets all of it, in its own time."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    with subprocess.Popen([*PROGRAM, "extract", "--help"], stdout=writing) as run:
        os.close(writing)
        waiting = bytes(4)
        while int.from_bytes(waiting, sys.byteorder) < size:  # until it is full
            time.sleep(0.01)
            waiting = fcntl.ioctl(reading, termios.FIONREAD, waiting)
        with os.fdopen(reading) as file:
            said = file.read()
    assert run.returncode == 0
    assert len(said) > size
    assert said.endswith("print the layers of --backbone\n")


# Strangers' names


def test_visible():
    assert visible("Calanus finmarchicus: Кладоцера, œuf 1 µm") == (
        "Calanus finmarchicus: Кладоцера, œuf 1 µm")
    shown = visible("".join(map(chr, range(0x110000))))
    assert shown.isascii() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert "\u202e" not in shown


def test_visible_json_is_the_same_json():
    value = {"".join(map(chr, range(0x3000))): ["\x7f\x9b\u2028\u202e", 'quote " and \\']}
    text = visible_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("\x1b\x7f\x9b\u2028\u202e")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of taxa with hostile names, features of it with hostile attributes, and a head."""
    root = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(0)
    for name in (HOSTILE, "[red]b[/red]"):
        folder = root / "imgs" / name.replace("/", "|")
        folder.mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 256, (20, 20), np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}{HOSTILE}.png")
        (folder / f"bad{HOSTILE}.png").write_bytes(b"no image")
        Image.fromarray(pixels).save(folder / f"copy{HOSTILE}.png")
    assert here("extract", root / "imgs", root / "f.h5", *PIXELS, "--quiet") == 0
    assert here("fit", root / "f.h5", "--folds", "3", "--quiet") == 0
    with h5py.File(root / "f.h5", "r+") as file:
        for name in ("weights_source", "engine", "precision"):
            file.attrs[name] = HOSTILE
    return root


@pytest.mark.parametrize("line", [
    ("info", "{root}/f.h5"), ("info", "{root}/f.h5", "--problems"),
    ("info", "{root}/f.h5", "--json"), ("fit", "{root}/f.h5", "--folds", "3", "-o", "{new}/n"),
    ("classify", "{root}/f.head", "{root}/f.h5", "-o", "{new}/n.csv"),
    ("extract", "{root}/imgs", "{new}/n.h5", *PIXELS),
    ("extract", "{root}/imgs", "--dry-run", *PIXELS),
    ("extract", "{root}/no\x1b[31m such\nFORGED", "{new}/n.h5", *PIXELS),
    ("verify", "{root}/f.h5", "{root}/imgs/" + HOSTILE),
    ("merge", "{root}/f.h5", "{root}/f.h5", "-o", "{new}/n.h5"),
    ("fit", "{root}/f.h5", "--non-living", HOSTILE + "*", "-o", "{new}/n"),
    ("fit", "{root}/f.h5", "--sampler", HOSTILE, "-o", "{new}/n"),
    ("info", "{root}/no\x1b[31m such\nFORGED", "--debug"),
    ("info", "{root}/f.h5", "--no\x1b[31m such\nFORGED"),
    ("in\x1b[31mfo\nFORGED", "{root}/f.h5"),
], ids=lambda line: " ".join(line[:1] + line[2:3]).encode("unicode_escape").decode())
def test_names_are_shown_and_not_obeyed(hostile, tmp_path, line, capfdbinary):
    here(*(part.format(root=hostile, new=tmp_path) for part in line))
    check_shown(b"".join(capfdbinary.readouterr()))


@pytest.mark.parametrize("line", [
    ("info", "{root}/f.h5", "--problems"), ("extract", "{root}/imgs", "{new}/n.h5", *PIXELS)],
    ids=lambda line: line[0])
def test_names_are_not_obeyed_by_a_program(hostile, tmp_path, line):
    done = subprocess.run([*PROGRAM, *(part.format(root=hostile, new=tmp_path) for part in line)],
                          capture_output=True, check=True)
    check_shown(done.stdout + done.stderr)


def test_a_name_with_a_line_end_needs_quotes(run):
    assert names('"a\rb", c') == ("a\rb", "c")
    code, _, err = run("fit", "f.h5", "--non-living", "a\rb")
    assert code == 2
    assert "double quotes around one that holds a comma or a line end" in err
    assert r"got 'a\rb'" in err


def check_shown(output):
    said = output.decode("utf-8")
    assert said
    assert "unexpected" not in said
    assert not set(said) & set("\x1b\r\x9b\u202e"), said.encode("unicode_escape")
    assert not any(one.startswith("FORGED") for one in said.splitlines())


def test_consoles_obey_nothing_that_nobody_escaped(capsys):
    table = Table(HOSTILE)
    table.add_row(Text(HOSTILE))
    for stderr in (False, True):
        Console(stderr=stderr).print(HOSTILE, table, Text(HOSTILE))
    for said in capsys.readouterr():
        assert said.count("\\x1b[2J") == 4
        assert not set(said) & set("\x1b\r\x9b\u202e")


def test_predictions_on_a_terminal(hostile, capfd):
    """To the letter into files and pipes; a terminal shows the letters that it would obey."""
    line = ("classify", hostile / "f.head", hostile / "f.h5", "-o", "-")
    assert here(*line) == 0
    piped = capfd.readouterr().out
    assert HOSTILE in piped
    screen, terminal = pty.openpty()
    with subprocess.Popen([*PROGRAM, *line], stdout=terminal, stderr=subprocess.DEVNULL) as run:
        os.close(terminal)
        said = b""
        with suppress(OSError):  # how Linux tells the end
            while part := os.read(screen, 65536):
                said += part
        os.close(screen)
    assert run.returncode == 0
    assert said.decode().replace("\r\n", "\n") == visible(piped, keep="\n")


# Interrupts


def ended(line, how, seconds, tmp_path):
    """Run, send a signal after so long: the exit code and what was said."""
    with (tmp_path / "said").open("w+b") as said:
        process = subprocess.Popen(line, stdout=said, stderr=said, cwd=tmp_path)
        time.sleep(seconds)
        process.send_signal(how)
        code = process.wait(60)
        said.seek(0)
        return code, said.read().decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_no_interrupt_shows_a_traceback(world, tmp_path, how):
    """Before its first line, the program is Python's own: a twentieth of a second is left to it."""
    chance = random.Random(0)
    for number in range(12):
        new = tmp_path / str(number)
        new.mkdir()
        code, said = ended(command("extract", world, new), how, chance.uniform(0.05, 0.6), new)
        assert "Traceback" not in said, said
        assert code in (0, 128 + how, -how), said
        # The last two belong to a file of which a change was cut short: the next run needs them.
        assert written(new) - {"said"} <= {"o.h5", "o.h5.partial", "o.h5.partial.undo",
                                           "o.h5.partial.undo.new"}
        assert code or (new / "o.h5").exists()
        if "o.h5.partial" in written(new):
            subprocess.run(command("extract", world, new), check=True, capture_output=True)
            assert written(new) == {"said", "o.h5"}


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
                         ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_tidies_up_and_says_what_is_kept(world, tmp_path, how, code):
    """A program that interrupts itself when the first block is there."""
    program = ("import os, signal, sys\n"
               "from plankton_features.cli import start\n"
               "from plankton_features.store.writer import FeatureStore\n"
               "append = FeatureStore.append\n"
               "def hit(self, block):\n"
               "    append(self, block)\n"
               f"    os.kill(os.getpid(), {int(how)})\n"
               "FeatureStore.append = hit\n"
               "sys.exit(start.main())")
    line = [sys.executable, "-c", program, *command("extract", world, tmp_path)[3:]]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "interrupted. What was finished is kept" in done.stderr
    assert written(tmp_path) == {"o.h5.partial"}


def test_the_programs_start_there():
    text = (Path(__file__).parents[2] / "setup.cfg").read_text(encoding="utf-8")
    assert text.count("= plankton_features.cli.start:") == 3
