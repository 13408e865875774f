"""Which packages are installed, and whether they are new enough."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

DISTRIBUTION = "plankton_features"
#: Extras that users may want; the others are for those who develop the package.
USER_EXTRAS = ("onnx", "notebooks")


@dataclass(frozen=True)
class Package:
    """A package that this one asks for.

    Attributes
    ----------
    name : str
    needed : str
        Versions that will do, such as ``>=1.26``.
    installed : str
        Version, empty if it is missing.
    extra : str
        Extra that it belongs to, empty if it is always needed.
    problem : str
        Why it cannot be imported, in one line; empty if it can, or was not tried.
    """

    name: str
    needed: str
    installed: str
    extra: str = ""
    problem: str = ""

    @property
    def fits(self) -> bool:
        """Whether it is installed in a version that will do, and can be imported.

        Examples
        --------
        >>> Package("numpy", ">=1.26", "2.0.0").fits, Package("numpy", ">=1.26", "1.9").fits
        (True, False)
        """
        specifier = Requirement(f"{self.name}{self.needed}").specifier
        return (bool(self.installed) and not self.problem
                and specifier.contains(self.installed, prereleases=True))

    @property
    def to_install(self) -> str:
        """What to give to pip, quoted for shells."""
        return f'"{self.name}{self.needed}"' if self.needed else self.name


def own_version() -> str:
    """Version of this package, empty if it runs from a folder without being installed."""
    return _version(DISTRIBUTION)


def list_packages() -> list[Package]:
    """Packages that this one needs on this machine, and those of `USER_EXTRAS`.

    Returns
    -------
    list of Package
        Empty if this package itself is not installed, so that nobody knows what it needs.
    """
    try:
        asked = [Requirement(line) for line in requires(DISTRIBUTION) or []]
    except PackageNotFoundError:
        return []
    return [Package(r.name, str(r.specifier), _version(r.name), extra)
            for extra in ("", *USER_EXTRAS) for r in asked if _belongs(r, extra)]


def _belongs(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    of_extra = requirement.marker.evaluate({"extra": extra})
    return of_extra and (not extra or not requirement.marker.evaluate({"extra": ""}))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
