"""What ``plankton-features doctor`` says: sections of lines, each with a mark."""

from __future__ import annotations

from collections.abc import Iterator

from plankton_features.cli.display import console
from plankton_features.cli.doctor_engines import engine_lines
from plankton_features.cli.doctor_lines import GOOD, NOTE, WARNING, WRONG, Line, show_section
from plankton_features.cli.doctor_weights import cache_line, leftover_lines, weights_lines
from plankton_features.diagnosis import Computer, Diagnosis, Package
from plankton_features.embedding import get_engine

LITTLE_MEMORY = 2e9  # bytes
_USES = {"onnx": "for fine-tune --export onnx", "notebooks": "for the notebooks"}


def show(found: Diagnosis) -> None:
    """Print a diagnosis."""
    computer = found.computer
    console.print(f"[bold]plankton_features {found.version or '(not installed)'}[/bold]",
                  f"on Python {computer.python}, {computer.system}")
    show_section("Packages", package_lines(found))
    show_section("Computer", computer_lines(computer))
    show_section("Engines", engine_lines(found))
    show_section("Weights", [*weights_lines(found), cache_line(found.cache),
                               *leftover_lines(found.cache)])
    show_section("Result", [result_line(found)])


def package_lines(found: Diagnosis) -> Iterator[Line]:
    """Versions of the packages that are needed, and of the extras."""
    needed = [package for package in found.packages if not package.extra]
    if not needed:
        yield Line(WARNING, "plankton_features runs from a folder without being installed, so its "
                   "packages cannot be checked.", advice="Install it from that folder:",
                   type_this=("python -m pip install -e .",))
        return
    good = [package for package in needed if package.fits]
    yield Line(GOOD, f"{len(good)} of {len(needed)} needed packages are there and new enough",
               details=(", ".join(f"{package.name} {package.installed}" for package in good),))
    yield from (_problem(package, found) for package in needed if not package.fits)
    for extra in dict.fromkeys(package.extra for package in found.packages if package.extra):
        yield _extra_line(extra, [p for p in found.packages if p.extra == extra])


def _problem(package: Package, found: Diagnosis) -> Line:
    if package.problem:
        return Line(WRONG, f"{package.name} {package.installed} cannot be imported: "
                    f"{package.problem}", advice="Install it again:", type_this=(
                        f"python -m pip install --force-reinstall {package.to_install}",))
    got = f"found {package.installed}" if package.installed else "it is not installed"
    return Line(WRONG if package in found.lacking else WARNING,
                f"{package.name}: needed is {package.needed}, {got}", advice="Install it:",
                type_this=(f"python -m pip install {package.to_install}",))


def _extra_line(extra: str, packages: list[Package]) -> Line:
    lacking = [package for package in packages if not package.fits]
    if not lacking:
        names = ", ".join(f"{package.name} {package.installed}" for package in packages)
        return Line(GOOD, f"extra {extra}, {_USES[extra]}: {names}")
    return Line(NOTE, f"extra {extra}, {_USES[extra]}: without "
                + ", ".join(f"{package.name} {package.needed}" for package in lacking),
                type_this=(f'python -m pip install "plankton_features[{extra}]"',))


def computer_lines(computer: Computer) -> Iterator[Line]:
    """Processors, memory and settings."""
    of_all = (f" of the machine's {computer.processors_in_all}"
              if computer.processors_in_all > computer.processors else "")
    yield Line(GOOD, f"{computer.processors} processors{of_all} may be used")
    yield _memory_line(computer)
    yield Line(NOTE, f"Python environment {computer.environment}")
    if computer.settings:
        yield Line(NOTE, "set in the environment: " + ", ".join(
            f"{name}={value}" for name, value in computer.settings.items()))


def _memory_line(computer: Computer) -> Line:
    if computer.memory is None or computer.memory_in_all is None:
        return Line(NOTE, "the system does not say how much memory there is")
    text = f"{gigabytes(computer.memory)} of {gigabytes(computer.memory_in_all)} memory are free"
    if computer.memory < LITTLE_MEMORY:
        return Line(WARNING, text, advice="Close other programs, or use a smaller --batch.")
    return Line(GOOD, text)


def result_line(found: Diagnosis) -> Line:
    """Whether the main job can run."""
    if found.can_run and found.only_converted:
        title = get_engine(found.usable_engines[0]).title
        lacking = " or ".join(get_engine(name).title for name in found.lacking_engines)
        return Line(WARNING, "Only recipes whose network was converted before can be run here.",
                    advice=f"{title} needs {lacking} to convert others: see to that first.")
    if found.can_run:
        how = "" if found.tried else ", as far as can be seen without trying an engine"
        return Line(GOOD, f"Images can become features here{how}.")
    reasons = {"no engine works": not found.usable_engines,
               "the engine that --engine auto takes fails":
                   found.usable_engines and found.engine_of_auto not in found.usable_engines,
               "the engines give different vectors": not found.agree,
               "no weights are found": not any(one.usable for one in found.weights),
               "packages are lacking or broken": found.lacking}
    because = ", ".join(reason for reason, holds in reasons.items() if holds)
    return Line(WRONG, f"Images cannot become features here: {because}.",
                advice="What to do is said above, at the lines with this mark. Fitting heads, and "
                       "classifying feature files, need neither engines nor weights.")


def gigabytes(n: int) -> str:
    """Bytes as GB.

    Examples
    --------
    >>> gigabytes(1_530_000_000)
    '1.5 GB'
    """
    return f"{n / 1e9:.1f} GB"
