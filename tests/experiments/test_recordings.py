"""Synthesizers for real sounds, and that the records of chapter 8 repeat."""

import pytest
import torch

from utils.experiments import dimensions, recordings
from utils.experiments.recordings import LENGTH, RATE, bent_tone, echoed_tone
from utils.search.requirements import check_synthesizer

STROKE = torch.tensor([100.0, 1.5, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("synth", [bent_tone, echoed_tone])
def test_synthesizers_meet_the_requirements(synth):
    check_synthesizer(synth)


def test_a_stroke_begins_at_its_onset_and_glides_to_its_pitch():
    x = bent_tone(STROKE, onset=0.5)
    assert len(x) == LENGTH and not x[: RATE // 2].any() and x.norm() == pytest.approx(1)
    assert recordings.onset_of(x) == pytest.approx(0.5, abs=0.01)
    dull = bent_tone(torch.tensor([100.0, 1.5, 0.1, 1.0, 0.05]))
    first, later, _ = recordings.described(dull).values()
    assert first > 1.2 * later and later == pytest.approx(102, abs=4)


def test_an_echo_repeats_softly():
    theta = torch.cat([STROKE, torch.tensor([0.5, 0.4])])
    wet, dry = echoed_tone(theta, onset=0.0), bent_tone(STROKE, onset=0.0)
    half = RATE // 2
    scale = (wet[:half] @ dry[:half]) / dry[:half].square().sum()
    alone = wet[half:] - 0.4 * wet[:-half]  # without the echo of all that came before
    torch.testing.assert_close(alone, scale * dry[half:], atol=2e-3, rtol=0)


def test_a_sound_is_nearest_to_itself():
    x, other = bent_tone(STROKE), bent_tone(2 * STROKE)
    assert recordings.apart(x, x) == 0 < recordings.apart(x, other)


def test_a_match_of_the_record_repeats():
    """By MSS, which takes least time: the same bottom of the same valley."""
    _, found = recordings.read()
    kept = found["bd_808", "MSS", 0.0]
    x, synth = recordings.heard("bd_808")
    match = recordings.match("MSS", synth, x)
    assert match.thetas[-1].tolist() == pytest.approx(kept.theta, rel=0.05)


def test_searches_stay_within_the_ranges():
    _, found = recordings.read()
    for one in found.values():
        ranges = recordings.SYNTHS[one.recording].parameters
        for parameter, value in zip(ranges, one.theta, strict=True):
            assert parameter.low * 0.999 <= value <= parameter.high * 1.001


def test_the_record_of_dimensions_has_every_search_and_repeats():
    """By MSS with two parameters, which takes least time."""
    _, searches = dimensions.read()
    ways = [(count, *way) for count in dimensions.COUNTS for way in dimensions.WAYS]
    assert sorted(searches) == sorted(ways)
    assert all(len(one.errors) == dimensions.TARGETS for one in searches.values())
    again = dimensions.search(2, "MSS", "candidates", pairs=4)
    kept = searches[2, "MSS", "candidates"].errors[:4]
    assert [error <= 0.05 for error in again.errors] == [error <= 0.05 for error in kept]


@pytest.mark.parametrize("count", dimensions.COUNTS)
def test_a_tone_of_few_parameters_is_the_whole_one_in_the_middle(count):
    synth = dimensions.tone(count)
    assert [one.name for one in synth.parameters] == [
        one.name for one in echoed_tone.parameters[:count]
    ]
    check_synthesizer(synth)
