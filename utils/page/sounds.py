"""Sound players: how loud a sound is played, and what its player looks like."""

import base64
import html
import io
from collections.abc import Mapping

import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

LOUDNESS = 0.1  # root mean square of the loudest part of each sound, of full scale
LOUDEST_PART = 0.4  # seconds, the window of momentary loudness in ITU-R BS.1770


def players(sounds: Mapping[str, Float[Tensor, " _"]], sample_rate: int) -> str:
    """HTML of a player for each sound (N,), all at the same loudness, under its label."""
    parts = []
    for label, x in sounds.items():
        name = html.escape(label)
        parts.append(
            f'<figure style="display:inline-block;margin:0 0.5em 0.5em 0">'
            f"<figcaption>{name}</figcaption>"
            f'<audio controls preload="metadata" style="width:14.5rem" aria-label="{name}" '
            f'src="{_wav(x, sample_rate)}">'
            f"</audio></figure>"
        )
    return f"<div>{''.join(parts)}</div>"


def at_loudness(x: Float[Tensor, " n"], sample_rate: int) -> Float[Tensor, " n"]:
    """A sound scaled to the common loudness, with peaks within [-1, 1].

    The loudest 0.4 seconds get the common root mean square. A sound whose peaks would then clip
    is made softer instead. Silence stays silence.
    """
    part = min(len(x), max(1, round(LOUDEST_PART * sample_rate)))
    power = torch.nn.functional.avg_pool1d(x.square()[None], part, stride=max(1, part // 4)).max()
    if power == 0:
        return x
    louder = x * LOUDNESS / power.sqrt()
    return louder / louder.abs().max().clamp(min=1)


def _wav(x: Tensor, sample_rate: int) -> str:
    """A sound as a data address: 16-bit WAV at the common loudness."""
    samples = at_loudness(x.detach().cpu().double(), sample_rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.numpy(), int(sample_rate), format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode()}"
