"""The kinds of operators that the comparison compares, for short sounds."""

import torch

from utils.features import rivals
from utils.features.compression import Logarithm, Root
from utils.features.jtfs import JTFS
from utils.features.mss import MSS
from utils.synth import SAMPLE_RATE


def operators(length: int, J: int) -> dict[str, torch.nn.Module]:
    """Operators by name, scattering with `J`."""
    settings = {"length": length, "J": J, "oversampling": 0.5}
    jtfs = JTFS(**settings)
    return {
        "waveform": rivals.Waveform(),
        "MSS": MSS(),
        "MSS log": MSS(magnitude="log"),
        "MSS both": MSS(magnitude="both"),
        "log-mel": rivals.LogMel(SAMPLE_RATE),
        "transport": rivals.Quantiles(),
        "average spectrum": rivals.AverageSpectrum(),
        "modulation spectrum": rivals.ModulationSpectrum(),
        "time scattering": rivals.TimeScattering(**settings),
        "pooled time scattering": rivals.TimeScattering(**settings, F="global"),
        "separable scattering": rivals.SeparableScattering(**settings, T=2**J, F=4),
        "JTFS": jtfs,
        "JTFS, local": JTFS(**settings, T=2**J, F=4),
        "JTFS, log": Logarithm(jtfs, 1e-6),
        "JTFS, root": Root(jtfs, 1e-6),
    }
