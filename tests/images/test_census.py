"""New pictures, repeated ones and failures, counted apart from how they are found."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from plankton_features.errors import ImageFailure
from plankton_features.images import Census, Prepared

#: What each image holds (none if it cannot be read), its label, and whether it turns out bad.
IMAGES = st.lists(st.tuples(st.sampled_from([None, *"abcdef"]), st.sampled_from("xy")),
                  max_size=40)


def image(position: int, content: str | None) -> Prepared:
    if content is None:
        return Prepared(position, failure=ImageFailure("decode", "broken"))
    return Prepared(position, sha256=content.encode() * 32)


def expected(seen: list[tuple[int, str | None, str]], bad: set[str]) -> dict[str, object]:
    """Counted anew from all that came, without a memory of the order of events."""
    good = [(i, c, label) for i, c, label in seen if c is not None and c not in bad]
    firsts = {c: (i, label) for i, c, label in reversed(good)}
    order = sorted(firsts, key=lambda c: firsts[c])
    return {"rows": {c.encode() * 32: n for n, c in enumerate(order)},
            "positions": [firsts[c][0] for c in order], "failed": len(seen) - len(good),
            "duplicates": len(good) - len(firsts),
            "conflicts": [(i, firsts[c][0]) for i, c, label in good if firsts[c][1] != label]}


def told(census: Census) -> dict[str, object]:
    return {"rows": census.rows, "positions": census.positions.tolist(), "failed": census.failed,
            "duplicates": census.duplicates, "conflicts": census.conflicts}


@example([("a", "x"), ("b", "x"), ("c", "y"), ("b", "y")], {"a"}, 0)
@example([("a", "x"), ("b", "x"), ("c", "y"), ("b", "y"), ("d", "x")], {"b", "c"}, 1)
@given(IMAGES, st.sets(st.sampled_from("abcdef")), st.integers(0, 10))
def test_every_image_is_counted_once(images, bad, begun) -> None:
    """In two blocks, of which the second finds some of its new pictures bad."""
    labels = [label for _, label in images]
    seen = [(i, content, label) for i, (content, label) in enumerate(images)]
    census = Census(labels)
    sorts = [census.sort(image(i, content)) for i, content, _ in seen[:begun]]
    new = {c for i, c, _ in seen[begun:] if census.sort(image(i, c)) == "new"}
    assert told(census) == expected(seen, set())
    assert sorts.count("new") + len(new) == len(census.rows)
    bad &= new
    census.withdraw([c.encode() * 32 for c in sorted(bad)], sum(c in bad for _, c, _ in seen))
    assert told(census) == expected(seen, bad)
    assert len(images) == len(census.rows) + census.duplicates + census.failed


@given(IMAGES, st.integers(0, 10))
def test_an_earlier_run_is_gone_on_with(images, done) -> None:
    labels = [label for _, label in images]
    whole, first = Census(labels), Census(labels)
    for i, (content, _) in enumerate(images):
        whole.sort(image(i, content))
        if i < done:
            first.sort(image(i, content))
    again = Census(labels, first.rows, first.positions, first.failed, first.duplicates)
    for i, (content, _) in enumerate(images[done:], start=min(done, len(images))):
        again.sort(image(i, content))
    assert {**told(again), "conflicts": 0} == {**told(whole), "conflicts": 0}
    assert first.conflicts + again.conflicts == whole.conflicts
