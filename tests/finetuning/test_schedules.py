"""Learning rates against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plankton_features.errors import InputError
from plankton_features.finetuning.schedules import SCHEDULES, Schedule

STEPS = st.integers(1, 300)
BASES = st.floats(1e-6, 1.0)
WARMUPS = st.floats(0, 0.99).map(lambda share: round(share, 3))


def rates(schedule: Schedule, n_steps: int, steps_per_epoch: int = 10) -> np.ndarray:
    return np.array([schedule.rate(i, n_steps, steps_per_epoch) for i in range(n_steps)])


@given(BASES, STEPS)
def test_constant(base, n_steps):
    assert set(rates(Schedule("constant", base), n_steps)) == {base}


@given(BASES, st.floats(0.1, 1), st.integers(1, 5), STEPS, st.integers(1, 30))
def test_step_is_what_keras_users_write(base, decay, every, n_steps, steps_per_epoch):
    schedule = Schedule("step", base, decay=decay, every=every)
    for i, rate in enumerate(rates(schedule, n_steps, steps_per_epoch)):
        epoch = i // steps_per_epoch
        assert rate == pytest.approx(base * math.pow(decay, math.floor(epoch / every)))


@given(BASES, WARMUPS, STEPS, st.floats(0, 1))
def test_cosine_rises_then_falls_to_the_end(base, warmup, n_steps, share):
    schedule = Schedule("cosine", base, warmup=warmup, final=share * base)
    values, n_warm = rates(schedule, n_steps), math.ceil(round(warmup * n_steps, 6))
    peak = max(0, n_warm - 1)
    np.testing.assert_allclose(values[:n_warm], base * np.arange(1, n_warm + 1) / max(1, n_warm))
    assert values[peak] == pytest.approx(base)
    assert (np.diff(values[: peak + 1]) > 0).all()
    assert (np.diff(values[peak:]) <= 1e-12).all()
    assert values.max() <= base * (1 + 1e-12)
    if n_steps > peak + 1:
        assert values[-1] == pytest.approx(share * base, abs=1e-15)


def test_cosine_closed_form():
    values = rates(Schedule(base_rate=0.2, warmup=0.1, final=0.04), 101)
    assert values[0] == pytest.approx(0.2 / 11)
    assert values[10] == pytest.approx(0.2)
    assert values[55] == pytest.approx(0.12)  # half way from step 10 to step 100
    assert values[100] == 0.04
    for i in range(10, 101):
        cosine = (1 + math.cos(math.pi * (i - 10) / 90)) / 2
        assert values[i] == pytest.approx(0.04 + 0.16 * cosine)
    without = rates(Schedule(base_rate=1.0, warmup=0.0), 5)
    np.testing.assert_allclose(without, [1, 0.5 + 2**-1.5, 0.5, 0.5 - 2**-1.5, 0], atol=1e-15)


def test_warm_up_is_not_longer_by_a_rounding_error():
    assert 0.07 * 100 > 7
    assert int(rates(Schedule(warmup=0.07), 100).argmax()) == 6


@pytest.mark.parametrize("kind", sorted(SCHEDULES))
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.9])
def test_a_single_step_has_the_base_rate(kind, warmup):
    assert Schedule(kind, 0.3, warmup=warmup).rate(0, 1, 1) == 0.3


@pytest.mark.parametrize(("schedule", "words"), [
    (Schedule(), "up to 0.001 over the first 5 % of steps, then down to 0 along half a cosine"),
    (Schedule(warmup=0.0, final=1e-5), "from 0.001 down to 1e-05 along half a cosine"),
    (Schedule("step", 0.01, decay=0.1, every=3), "0.01, times 0.1 every 3 epochs"),
    (Schedule("step", 0.01, every=1), "0.01, times 0.5 every epoch"),
    (Schedule("constant", 0.02), "0.02 throughout")])
def test_in_words(schedule, words):
    assert schedule.describe() == words


@pytest.mark.parametrize(("values", "message"), [
    ({"kind": "linear"}, "schedule 'linear': expected one of cosine, step, constant"),
    ({"base_rate": 0.0}, "base_rate: expected a learning rate above 0, got 0.0"),
    ({"base_rate": -1.0}, "base_rate: expected"), ({"base_rate": math.inf}, "base_rate: expected"),
    ({"base_rate": math.nan}, "base_rate: expected"), ({"warmup": 1.0}, "warmup: expected a share"),
    ({"warmup": -0.1}, "warmup: expected"), ({"warmup": math.nan}, "warmup: expected"),
    ({"decay": 0.0}, "decay: expected a factor above 0, at most 1, got 0.0"),
    ({"decay": 1.1}, "decay: expected"), ({"every": 0}, "every: expected a whole number of epochs"),
    ({"every": 2.5}, "every: expected"), ({"every": True}, "every: expected"),
    ({"final": -1e-9}, "final: expected a rate"), ({"final": 0.1}, "at most base_rate 0.001")])
def test_other_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Schedule(**values)


@pytest.mark.parametrize("arguments", [(-1, 5, 1), (5, 5, 1), (0, 0, 1), (0, 5, 0)])
def test_other_steps_are_refused(arguments):
    with pytest.raises(InputError, match="step: expected 0 to n_steps - 1"):
        Schedule().rate(*arguments)


def test_it_is_a_value():
    assert Schedule() == Schedule(final=0.0)
    with pytest.raises(AttributeError):
        Schedule().kind = "step"
