"""What ``plankton-features doctor`` says of engines and GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from plankton_features.cli.doctor_lines import GOOD, NOTE, WARNING, WRONG, Line, setting
from plankton_features.diagnosis import Diagnosis, EngineTrial, PrecisionTrial
from plankton_features.embedding import EngineEntry, Plugin, get_engine

_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple"}
_REPORT = "plankton-features doctor --json"


def engine_lines(found: Diagnosis) -> Iterator[Line]:
    """Each engine, whether they agree, what ``auto`` takes, and the GPU."""
    yield from (_engine_line(trial, found) for trial in found.engines)
    if found.similarity is not None:
        yield _agreement_line(found)
    yield from _auto_lines(found)
    yield _gpu_line(found)
    yield from (_plugin_line(plugin) for plugin in found.plugins)


def _engine_line(trial: EngineTrial, found: Diagnosis) -> Line:
    name = f"{get_engine(trial.engine).title} {trial.version}".rstrip()
    if trial.failure:
        advice, *type_this = _repair(trial, found)
        return Line(WARNING if found.usable_engines else WRONG, f"{name}: {trial.problem}",
                    advice=advice, type_this=tuple(type_this))
    if not found.tried:
        return Line(GOOD, f"{name}: installed, not tried")
    return Line(GOOD, f"{name} on {trial.device}, tried in {trial.seconds:.1f} s with "
                f"{trial.tried_with}",
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
    entry = get_engine(trial.engine)
    needed = [get_engine(name) for name in entry.needs]
    install = f"python -m pip install --upgrade {_requirement(entry.package, found)}"
    if trial.failure == "missing":
        return f"{entry.purpose} Install it:".lstrip(), install
    if own := entry.advice(trial.failure, trial.problem):
        return own
    if other := _other_setting([entry, *needed], found.computer.settings):
        return f"A setting is {other[1]}, and must be {other[2]}. Take it back:", setting(other[0])
    if lacking := [one.title for one in needed if _failed(one, found)]:
        return (f"It needs {lacking[0]} when it first runs a recipe. See to {lacking[0]} first.",)
    if "SIGILL" in trial.problem:
        others = "".join(f", or --engine {name}" for name in found.usable_engines)
        return ("This processor lacks instructions that the package was built for, such as AVX. "
                f"Use another machine{others}.",)
    if trial.failure == "run" and entry.keeps_networks and found.cache.problem:
        return ("Networks cannot be kept in its cache. Name a folder that you may write to:",
                setting("PLANKTON_FEATURES_CACHE", "FOLDER"))
    if trial.failure == "run" or not entry.package:
        return "If the message does not help, please report it, with what this prints:", _REPORT
    if trial.failure == "time":
        return ("Try again when the machine is less busy. The first use of a GPU can take "
                "minutes.",)
    return ("A library is missing or does not fit to the others. Install it again:",
            install.replace("--upgrade", "--force-reinstall"))


def _other_setting(entries: list[EngineEntry],
                   settings: dict[str, str]) -> tuple[str, str, str] | None:
    """Name, value and right value of an environment variable that hinders an engine."""
    return next(((name, settings[name], right) for entry in entries
                 for name, right in entry.settings
                 if settings.get(name, right) != right), None)


def _failed(entry: EngineEntry, found: Diagnosis) -> bool:
    return any(trial.failure for trial in found.engines if trial.engine == entry.name)


def _requirement(name: str, found: Diagnosis) -> str:
    return next((package.to_install for package in found.packages if package.name == name), name)


def _agreement_line(found: Diagnosis) -> Line:
    n = len(found.compared)
    text = f"{'' if n == 2 else 'least '}cosine similarity {found.similarity:.6f}"
    if found.agree:
        return Line(GOOD, f"{'both' if n == 2 else f'all {n}'} give the same vector ({text})")
    return Line(WRONG, f"the {'two' if n == 2 else n} give different vectors ({text})",
                advice="Do not use features of this machine before it is known why. Please report "
                       "it, with what this prints:", type_this=(_REPORT,))


def _auto_lines(found: Diagnosis) -> Iterator[Line]:
    auto, usable = found.engine_of_auto, found.usable_engines
    if auto in usable:
        yield Line(GOOD, f"--engine auto takes {get_engine(auto).title}")
    elif usable:
        yield Line(WRONG, f"--engine auto takes {get_engine(auto).title}, which fails",
                   advice=f"Name another one in every command: --engine {usable[0]}")


def _gpu_line(found: Diagnosis) -> Line:
    graphics, trial = found.computer.graphics, found.gpu_trial
    title = get_engine(trial.engine).title if trial else "an engine"
    if trial and trial.on_gpu:
        return Line(GOOD, f"{title} computes on the GPU {trial.device}{_driver(found)}")
    if not graphics.maker:
        return Line(NOTE, "no driver of a GPU is there: CPUs compute")
    gpus = ", ".join(graphics.names) or f"a GPU of {_MAKERS[graphics.maker]}"
    if not trial or not found.gpu_unused:
        return Line(NOTE, f"{gpus}{_driver(found)}: whether {title} uses it was not tried")
    text = f"{gpus}{_driver(found)}: there, and {title} does not use it"
    if found.computer.gpu_hidden:
        return Line(WARNING, text, advice="A setting hides it. Take that back:",
                    type_this=(setting("CUDA_VISIBLE_DEVICES"),))
    advice, *type_this = get_engine(trial.engine).gpu_advice(graphics.maker) or (
        "See what its makers say of it.",)
    return Line(WARNING, text, advice=advice, type_this=tuple(type_this))


def _driver(found: Diagnosis) -> str:
    driver = found.computer.graphics.driver
    return f" (driver {driver})" if driver else ""


def _plugin_line(plugin: Plugin) -> Line:
    """An engine or a backbone that another package offers and does not give."""
    return Line(WARNING, f"{plugin.what} {plugin.name} of the package {plugin.package} cannot be "
                f"used: {plugin.problem}", advice="Nothing else needs it. Install the package "
                "again, another version of it, or tell its makers:",
                type_this=(f"python -m pip install --upgrade {plugin.package}",))
