"""Damaged, odd and hostile files by the thousand, each read in a process that may die of it.

    python benchmarks/fuzz.py [--images 20000] [--tables 10000] [--heads 20000]
                              [--features 20000] [--forged 1000] [--seed 0] [--jobs 2]

Every file must end as what it says or in an error of this package. Counted are, for each kind of
file: those taken and those refused in words; other errors ("unexpected"), crashes of the process
and cases that took longer than ten seconds; rows that are not what the file says; the slowest case
and the peak of memory. Exits with 1 if there is anything but files taken and refused, or if a
process took more than 1.5 GB.

The files are made by `tests/forging`: sound ones in odd styles, random damage, and forgeries of
each kind that once did harm.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

HANG, MOST_MB, CHUNK = 10.0, 1500.0, 1000
TAKEN, REFUSED, UNEXPECTED, CRASH, HUNG, WRONG = (
    "taken", "refused", "unexpected", "crashes", "hangs", "wrong rows")
BAD = (UNEXPECTED, CRASH, HUNG, WRONG)
SHOWN = (TAKEN, REFUSED, *BAD)
Case = Callable[[np.random.Generator, Path], bool]
"""One case in an empty folder: whether the rows are right; raises what reading raises."""


@dataclass
class Tally:
    """What came of the cases of one kind.

    Attributes
    ----------
    outcomes : Counter of str
    slowest : float
        Seconds.
    peak_mb : float
        Largest resident size of a process.
    notes : list of str
        Of bad outcomes: the number of the case and what happened.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak_mb: float = 0.0
    notes: list[str] = field(default_factory=list)

    def add(self, case: int, outcome: str, seconds: float, note: str = "") -> None:
        """Count one case."""
        self.outcomes[outcome] += 1
        self.slowest = max(self.slowest, seconds)
        if outcome in BAD:
            self.notes.append(f"case {case}: {outcome} {note}")

    def merge(self, other: Tally) -> None:
        """Count those of another part."""
        self.outcomes += other.outcomes
        self.slowest = max(self.slowest, other.slowest)
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.notes += other.notes

    @property
    def ok(self) -> bool:
        """Whether nothing bad came."""
        return not any(self.outcomes[name] for name in BAD) and self.peak_mb <= MOST_MB


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, n in (("images", 20_000), ("tables", 10_000), ("heads", 20_000),
                    ("features", 20_000), ("forged", 1_000)):
        parser.add_argument(f"--{name}", type=int, default=n, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    print(f"{'kind':<46}{'cases':>7}" + "".join(f"{name:>11}" for name in SHOWN)
          + f"{'slowest s':>11}{'peak MB':>9}", flush=True)
    good = True
    for kind, tally in run(wanted(args), args.seed, args.jobs):
        show(kind, tally)
        good &= tally.ok
    return 0 if good else 1


def wanted(args: argparse.Namespace) -> dict[str, int]:
    """Number of cases of each kind."""
    numbers = {"images": args.images, "tables": args.tables, "heads": args.heads,
               "features": args.features}
    for kind, names in forgeries().items():
        numbers.update({f"{kind}: {name}": args.forged for name in names})
    return {name: n for name, n in numbers.items() if n}


def run(numbers: dict[str, int], seed: int, jobs: int) -> Iterator[tuple[str, Tally]]:
    """Run all cases, some processes at a time; yield each kind when it is done."""
    parts = [(kind, range(start, min(start + CHUNK, n)))
             for kind, n in numbers.items() for start in range(0, n, CHUNK)]
    with ThreadPoolExecutor(jobs) as pool:
        found = zip(parts, pool.map(lambda part: watched(*part, seed), parts), strict=True)
        for kind, of_kind in groupby(found, key=lambda pair: pair[0][0]):
            tally = Tally()
            for _, part in of_kind:
                tally.merge(part)
            yield kind, tally


def watched(kind: str, cases: range, seed: int) -> Tally:
    """Run cases in a process; one that dies or hangs is counted, and the next case begins anew."""
    tally = Tally()
    context = multiprocessing.get_context("spawn")
    while cases:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(kind, cases, seed, there), daemon=True)
        process.start()
        there.close()
        done = listen(here, process, tally, cases)
        process.join()
        cases = cases[done:]
    return tally


def listen(pipe: Connection, process: multiprocessing.process.BaseProcess, tally: Tally,
           cases: range) -> int:
    """Count what a process reports; how many of its cases are dealt with."""
    pipe.recv()  # it has started
    for done, case in enumerate(cases):
        if not pipe.poll(HANG):
            process.kill()
            tally.add(case, HUNG, HANG, f"no answer in {HANG:.0f} s")
            return done + 1
        try:
            outcome, seconds, note, peak_mb = pipe.recv()
        except EOFError:
            process.join()
            tally.add(case, CRASH, 0.0, f"exit code {process.exitcode}")
            return done + 1
        tally.add(case, outcome, seconds, note)
        tally.peak_mb = max(tally.peak_mb, peak_mb)
    return len(cases)


def child(kind: str, cases: range, seed: int, pipe: Connection) -> None:
    """Run cases and report each."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders complain by themselves
    with tempfile.TemporaryDirectory() as folder:
        case = case_of(kind)
        pipe.send("started")
        for number in cases:
            place = Path(folder) / str(number)
            place.mkdir()
            started = time.perf_counter()
            outcome, note = outcome_of(case, np.random.default_rng([seed, number]), place)
            seconds = time.perf_counter() - started
            pipe.send((outcome, seconds, note, peak_mb()))


def peak_mb() -> float:
    """Largest resident size of this process.

    What `getrusage` says begins with the size of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome_of(case: Case, rng: np.random.Generator, place: Path) -> tuple[str, str]:
    """What comes of one case, and of bad ones what happened."""
    from plankton_features.errors import PlanktonFeaturesError

    try:
        return (TAKEN, "") if case(rng, place) else (WRONG, "")
    except PlanktonFeaturesError as error:
        # An error that is not one for a person counts as unexpected.
        return (REFUSED, "") if str(error).strip() else (UNEXPECTED, "an error without words")
    except Exception as error:  # noqa: BLE001 (that is what is looked for)
        return UNEXPECTED, f"{type(error).__name__}: {str(error)[:200]}"


def case_of(kind: str) -> Case:
    """The function that makes and reads one file of a kind."""
    from forging import cases

    family, _, name = kind.partition(": ")
    return cases.FORGED[family](name) if name else cases.RANDOM[family]()


def forgeries() -> dict[str, list[str]]:
    """Names of the forgeries of each family."""
    from forging import cases

    return {family: list(names) for family, names in cases.NAMES.items()}


def show(kind: str, tally: Tally) -> None:
    """Print a row, and the first ten things that went wrong."""
    print(f"{kind[:45]:<46}{tally.outcomes.total():>7}"
          + "".join(f"{tally.outcomes[name]:>11}" for name in SHOWN)
          + f"{tally.slowest:>11.2f}{tally.peak_mb:>9.0f}", flush=True)
    for note in tally.notes[:10]:
        print(f"    {note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
