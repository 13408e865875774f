"""What the numbers are called, and what each says in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Of one score.

    Attributes
    ----------
    title, meaning : str
    least, most : float or None
        Its range, if it has one that a bar can be drawn on.
    high_is_good : bool
    """

    title: str
    meaning: str
    least: float | None = 0.0
    most: float | None = 1.0
    high_is_good: bool = True


_CALIBRATION = "distance of probability from the share that is right"
SCORES = {
    "macro_f1": Words("macro-F1", "mean over classes of F1; a rare class counts as much as a "
                                  "common one"),
    "accuracy": Words("accuracy", "share of images that are right"),
    "balanced_accuracy": Words("balanced accuracy", "mean over classes of recall"),
    "mcc": Words("MCC", "Matthews correlation (R_K): 0 is guessing, 1 is perfect", least=-1.0),
    "kappa": Words("Cohen’s kappa", "agreement beyond chance", least=-1.0),
    "top_3_accuracy": Words("top-3 accuracy", "truth is among the three most probable classes"),
    "macro_precision": Words("macro precision", "mean over classes of precision"),
    "macro_recall": Words("macro recall", "mean over classes of recall"),
    "weighted_precision": Words("weighted precision", "classes count by their images"),
    "weighted_recall": Words("weighted recall", "classes count by their images"),
    "weighted_f1": Words("weighted F1", "classes count by their images"),
    "log_loss": Words("log-loss", "surprise at the truth, in nats", most=None,
                      high_is_good=False),
    "brier": Words("Brier score", "squared error of probabilities, summed over classes; 0 to 2",
                   most=2.0, high_is_good=False),
    "ece": Words("ECE", f"{_CALIBRATION}, bins of equal width", high_is_good=False),
    "ece_mass": Words("ECE, equal mass", f"{_CALIBRATION}, bins of equal counts",
                      high_is_good=False),
    "class_wise_ece": Words("class-wise ECE", "ECE of each class’s probability, mean over "
                                              "classes", high_is_good=False),
    "lineage_precision": Words("hierarchical precision", "of all taxa in predicted lineages, the "
                                                         "share that is true"),
    "lineage_recall": Words("hierarchical recall", "of all taxa in true lineages, the share that "
                                                   "was predicted"),
    "lineage_f1": Words("hierarchical F1", "harmonic mean of the two"),
    "lineage_other_depth": Words("right lineage, other depth", "share of images named as an "
                                 "ancestor or a descendant of their class"),
}
CLASSIFIERS = {
    "logistic": "logistic regression",
    "mlp": "multilayer perceptron",
    "random-forest": "random forest",
    "linear-discriminant": "linear discriminant analysis",
    "lda": "linear discriminant analysis",
    "knn": "nearest neighbours",
    "network": "the fine-tuned network",
}
SAMPLERS = {
    "none": "no resampling",
    "class-weight": "class weights",
    "logit-adjustment": "logit adjustment",
}


def words_of(name: str) -> Words:
    """Words of a score; of one that is not known here, its name without a bar."""
    return SCORES.get(name) or Words(name.replace("_", " "), "", None, None)


def in_order(names: Iterable[str]) -> list[str]:
    """Known scores in the order of `SCORES`, then the others in their own."""
    given = list(names)
    return [n for n in SCORES if n in given] + [n for n in given if n not in SCORES]


def capital(text: str) -> str:
    """A text as it begins a sentence.

    Examples
    --------
    >>> capital("validation MCC")
    'Validation MCC'
    """
    return text[:1].upper() + text[1:]


def verdict_words(verdict: object, sentence: object) -> str:
    """A verdict and the sentence that explains it, which may begin with the same word.

    Examples
    --------
    >>> verdict_words("neutral", "The gap is small."), verdict_words("neutral", "Neutral: no gap.")
    ('Neutral. The gap is small.', 'Neutral: no gap.')
    """
    word, text = str(verdict or ""), str(sentence or "")
    if not word or text.casefold().startswith(word.casefold()):
        return text
    return f"{capital(word)}. {text}".strip()


def classifier_words(name: object) -> str:
    """A classifier's full name."""
    return CLASSIFIERS.get(str(name), str(name))


def sampler_words(name: object) -> str:
    """What a sampler does.

    Examples
    --------
    >>> sampler_words("class-weight"), sampler_words("square-root")
    ('class weights', 'square-root resampling')
    """
    return SAMPLERS.get(str(name), f"{name} resampling")
