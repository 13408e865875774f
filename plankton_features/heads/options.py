"""What the user chose for a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plankton_features.errors import InputError
from plankton_features.heads.calibrators import CALIBRATIONS
from plankton_features.heads.classifiers import classifier_name, known
from plankton_features.heads.pipeline import make_head


@dataclass(frozen=True)
class HeadOptions:
    """What the user chose for a head; the defaults are those of ``fit-head``.

    Attributes
    ----------
    classifier, sampler, pca, floor, cap, seed
        See `make_head`; a name of `CLASSIFIERS`, or any scikit-learn classifier.
    calibration : {"temperature", "isotonic", "sigmoid", "none"}
    min_precision : float or None
        Promised precision in (0, 1]; below the thresholds that keep it, the head abstains.

    Raises
    ------
    InputError
        If a value is not allowed.
    """

    classifier: Any = "logistic"
    sampler: str = "none"
    pca: int | None = 256
    floor: int | str | None = None
    cap: int | None = None
    calibration: str = "temperature"
    min_precision: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.calibration not in CALIBRATIONS:
            raise InputError(f"calibration '{self.calibration}' is not known. Choose one of: "
                             f"{', '.join(CALIBRATIONS)}.")
        if self.min_precision is not None and not 0 < self.min_precision <= 1:
            raise InputError(f"min-precision: expected a number above 0, up to 1, got "
                             f"{self.min_precision}.")
        self.pipeline()

    @property
    def candidates(self) -> tuple[dict[str, Any], ...]:
        """Parameters of the classifier to choose from."""
        return known(self.classifier).candidates

    @property
    def chooses(self) -> bool:
        """Whether rows that are neither trained on nor scored are needed for choices."""
        return (len(self.candidates) > 1 or self.calibration != "none"
                or self.min_precision is not None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; a classifier of one's own by how it is made."""
        return {**vars(self), "classifier": classifier_name(self.classifier)}

    def pipeline(self) -> Any:
        """The pipeline, not fitted."""
        return make_head(self.classifier, self.sampler, self.pca, self.floor, self.cap, self.seed)
