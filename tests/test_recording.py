"""Recordings: what files become, and what is said of files that cannot be read."""

from functools import partial

import numpy as np
import pytest
import soundfile
import torch

from utils.experiments.cost import peak_memory
from utils.recording import load

RATE = 44100


def tone(hertz, seconds, rate=RATE):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture
def write(tmp_path):
    def to_file(samples, rate=RATE, name="sound.wav", **options):
        soundfile.write(tmp_path / name, samples, rate, **options)
        return tmp_path / name

    return to_file


@pytest.mark.parametrize("rate", [8000, 8192, 22050, 44100, 96000])
@pytest.mark.parametrize("name", ["sound.wav", "sound.flac", "sound.aiff"])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_rate_format_and_number_of_channels(write, rate, name, channels):
    """A tone stays at its frequency, fills the sound, and has unit energy."""
    samples = 0.3 * tone(440, 4.0, rate)[:, None].repeat(channels, axis=1)
    x = load(write(samples, rate, name))
    assert x.shape == (4 * 8192,) and x.dtype == torch.float32
    assert x.norm().item() == pytest.approx(1, rel=1e-5)
    assert torch.fft.rfft(x).abs().argmax().item() == 440 * 4


def test_a_short_sound_stands_in_the_middle(write):
    x = load(write(tone(440, 1.0)), duration=3.0)
    energy = x.square().reshape(3, -1).sum(-1)
    assert energy[1] == pytest.approx(1, abs=1e-3)


def test_of_a_long_sound_the_strongest_part_is_kept(write):
    """Of what can be heard at the new rate; the part lies across two blocks of the file."""
    samples = np.concatenate([0.1 * tone(300, 5), tone(700, 2), 3 * tone(10000, 5)])
    x = load(write(samples), duration=2.0)
    assert torch.fft.rfft(x).abs().argmax().item() == 700 * 2
    assert x.square().reshape(4, -1).sum(-1).tolist() == pytest.approx([0.25] * 4, abs=1e-3)


def test_a_part_has_no_edges_where_its_rate_is_raised(write):
    path = write(tone(440, 12, 4000) * np.hanning(12 * 4000), 4000, subtype="DOUBLE")
    every, other = load(path, sample_rate=4000), load(path, sample_rate=8000)[::2]
    torch.testing.assert_close(other * 2**0.5, every, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("seconds", "rate"), [(600, 44100), (5000, 1)])
def test_memory_does_not_grow_with_the_file(write, seconds, rate):
    """Here, of silence, which is legal."""
    samples = np.zeros(seconds * rate, dtype=np.int16)
    assert peak_memory(partial(load, write(samples, rate, "sound.flac"))) < 60


@pytest.mark.parametrize("channels", [1, 3])
def test_a_flac_of_unknown_length(write, channels):
    """A pipe cannot go back and write how many samples there were."""
    path = write(tone(440, 7.0)[:, None].repeat(channels, axis=1), name="sound.flac")
    known, content = load(path), bytearray(path.read_bytes())
    content[21:26] = [content[21] & 0xF0, 0, 0, 0, 0]
    path.write_bytes(content)
    assert torch.equal(load(path), known)


@pytest.mark.parametrize("scale", [1e-310, 1e-30, 1e18, 1e300])
def test_samples_of_any_size(write, scale):
    samples = tone(440, 5.0) * np.linspace(0.1, 1, 5 * RATE)
    usual = load(write(samples, subtype="DOUBLE"))
    torch.testing.assert_close(load(write(scale * samples, subtype="DOUBLE")), usual)


def test_what_lies_above_the_nyquist_frequency_does_not_fold_down(write):
    x = load(write(tone(440, 4.0) + tone(6000, 4.0)))
    assert torch.fft.rfft(x).abs()[4 * (8192 - 6000)] < 1e-3 * torch.fft.rfft(x).abs().max()


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros(0), "holds 0 samples"),
        (np.ones(100), "holds 100 samples at 44100 Hz; expected 0.05 seconds or more"),
        (np.full(RATE, np.nan), "NaN or infinite"),
    ],
)
def test_bad_samples_are_named(write, samples, says):
    with pytest.raises(ValueError, match=says):
        load(write(samples, subtype="FLOAT"))


def test_bad_files_are_named(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "letter.wav").write_text("Dear sir or madam,")
    (tmp_path / "torn.flac").write_bytes(b"fLaC" + bytes(20))
    (tmp_path / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    (tmp_path / "bare.raw").write_bytes(bytes(100))
    for name in ("empty.wav", "letter.wav", "torn.flac", "phone.m4a", "bare.raw"):
        with pytest.raises(ValueError, match=f"{name}.*cannot be read as audio.*`ffmpeg -i"):
            load(tmp_path / name)
    for path in (tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(ValueError, match="expected the path of a file that exists"):
            load(path)
