"""What ``plankton-features doctor`` says of engines and GPUs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from plankton_features.cli.doctor_lines import GOOD, NOTE, WARNING, WRONG, Line, setting
from plankton_features.diagnosis import Diagnosis, EngineTrial, PrecisionTrial

_NAMES = {"openvino": "OpenVINO", "tensorflow": "TensorFlow"}
_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple"}
_NEEDED_FOR = {
    "openvino": "It is the faster engine on CPUs.",
    "tensorflow": "OpenVINO needs it when it first runs a recipe of any network but "
                  "EfficientNet-Lite0; fine-tuning always does.",
}
_REPORT = "plankton-features doctor --json"


def engine_lines(found: Diagnosis) -> Iterator[Line]:
    """Each engine, whether they agree, what ``auto`` takes, and the GPU."""
    yield from (_engine_line(trial, found) for trial in found.engines)
    if found.similarity is not None:
        yield _agreement_line(found)
    yield from _auto_lines(found)
    yield _gpu_line(found)


def _engine_line(trial: EngineTrial, found: Diagnosis) -> Line:
    name = f"{_NAMES[trial.engine]} {trial.version}".rstrip()
    if trial.failure:
        advice, *type_this = _repair(trial, found)
        return Line(WARNING if found.usable_engines else WRONG, f"{name}: {trial.problem}",
                    advice=advice, type_this=tuple(type_this))
    if not found.tried:
        return Line(GOOD, f"{name}: installed, not tried")
    return Line(GOOD, f"{name} on {trial.device}, tried in {trial.seconds:.1f} s with preset fast",
                details=tuple(_precision_text(one) for one in trial.precisions))


def _precision_text(one: PrecisionTrial) -> str:
    name = f"{one.precision:<9}"
    if one.problem:
        return f"{name} not in this processor"
    text = f"{name} {one.images_per_second:5,.0f} images/s"
    if one.precision == "float32":
        return text
    slow = "; emulated" if one.native is False else ""
    return f"{text}, cosine similarity to float32 {one.similarity:.4f}{slow}"


def _repair(trial: EngineTrial, found: Diagnosis) -> tuple[str, ...]:
    """What to do, and then what to type."""
    backend = found.computer.settings.get("KERAS_BACKEND", "tensorflow")
    tensorflow = found.engines[1]
    install = f"python -m pip install --upgrade {_requirement(trial.engine, found)}"
    if trial.failure == "missing":
        return f"{_NEEDED_FOR[trial.engine]} Install it:", install
    if backend != "tensorflow":
        return "Keras is told to use another backend. Take that back:", setting("KERAS_BACKEND")
    if trial is not tensorflow and tensorflow.failure:
        return ("It needs TensorFlow when it first runs a recipe. See to TensorFlow first.",)
    if "SIGILL" in trial.problem:
        other = "".join(f", or --engine {name}" for name in found.usable_engines)
        return ("This processor lacks instructions that the package was built for, such as AVX. "
                f"Use another machine{other}.",)
    if trial.failure == "run" and trial.engine == "openvino" and found.cache.problem:
        return ("Networks cannot be kept in its cache. Name a folder that you may write to:",
                setting("PLANKTON_FEATURES_CACHE", "FOLDER"))
    if trial.failure == "run":
        return "If the message does not help, please report it, with what this prints:", _REPORT
    if trial.failure == "time":
        return ("Try again when the machine is less busy. The first use of a GPU can take "
                "minutes.",)
    return ("A library is missing or does not fit to the others. Install it again:",
            install.replace("--upgrade", "--force-reinstall"))


def _requirement(engine: str, found: Diagnosis) -> str:
    return next((package.to_install for package in found.packages if package.name == engine),
                engine)


def _agreement_line(found: Diagnosis) -> Line:
    text = f"cosine similarity {found.similarity:.6f}"
    if found.agree:
        return Line(GOOD, f"both give the same vector ({text})")
    return Line(WRONG, f"the two give different vectors ({text})",
                advice="Do not use features of this machine before it is known why. Please report "
                       "it, with what this prints:", type_this=(_REPORT,))


def _auto_lines(found: Diagnosis) -> Iterator[Line]:
    auto, usable = found.engine_of_auto, found.usable_engines
    if auto in usable:
        yield Line(GOOD, f"--engine auto takes {_NAMES[auto]}")
    elif usable:
        yield Line(WRONG, f"--engine auto takes {_NAMES[auto]}, which fails",
                   advice=f"Name the other one in every command: --engine {usable[0]}")


def _gpu_line(found: Diagnosis) -> Line:
    graphics, tensorflow = found.computer.graphics, found.engines[1]
    if tensorflow.on_gpu:
        return Line(GOOD, f"TensorFlow computes on the GPU {tensorflow.device}{_driver(found)}")
    if not graphics.maker:
        return Line(NOTE, "no driver of a GPU is there: CPUs compute")
    gpus = ", ".join(graphics.names) or f"a GPU of {_MAKERS[graphics.maker]}"
    text = f"{gpus}{_driver(found)}: there, and TensorFlow does not use it"
    if not found.gpu_unused:
        return Line(NOTE, f"{gpus}{_driver(found)}: whether TensorFlow uses it was not tried")
    if found.computer.gpu_hidden:
        return Line(WARNING, text, advice="A setting hides it. Take that back:",
                    type_this=(setting("CUDA_VISIBLE_DEVICES"),))
    advice, *type_this = _GPU_ADVICE[graphics.maker]()
    return Line(WARNING, text, advice=advice, type_this=tuple(type_this))


def _driver(found: Diagnosis) -> str:
    driver = found.computer.graphics.driver
    return f" (driver {driver})" if driver else ""


def _nvidia_advice() -> tuple[str, ...]:
    if sys.platform == "win32":
        return ("On Windows itself TensorFlow uses no GPU since 2.11. It does in WSL2: install "
                "that, and within it this package, in the folder of its repository.",
                "wsl --install", 'python -m pip install . "tensorflow[and-cuda]"')
    return ("NVIDIA's libraries are missing, or the driver is too old for them. Install them, and "
            "run this command again:", 'python -m pip install "tensorflow[and-cuda]"')


def _amd_advice() -> tuple[str, ...]:
    return ("TensorFlow's own packages use no GPUs of AMD; AMD publishes tensorflow-rocm, which "
            "was not tested with this package.",)


def _apple_advice() -> tuple[str, ...]:
    return ("Apple's plug-in tensorflow-metal would use it. It was not tested with this package: "
            "if you install it, run this command again to see whether its vectors are right.",)


_GPU_ADVICE = {"nvidia": _nvidia_advice, "amd": _amd_advice, "apple": _apple_advice}
