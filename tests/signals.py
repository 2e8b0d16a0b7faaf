"""The signals on which a transform is held against the reference."""

import numpy as np


def signals(N, seed=0):
    """Test signals of N samples: a dictionary from name to float64 array of shape (N,)."""
    t = np.arange(N) / N
    noise = np.random.default_rng(seed).standard_normal(N)
    click = np.zeros(N)
    click[N // 3] = 1.0
    pitch = 0.01 * N
    note = np.sin(2 * np.pi * 0.03 * N * t) * np.exp(-12 * (t % 0.5))
    lone = np.where((t > 0.6) & (t < 0.7), np.sin(2 * np.pi * 0.05 * N * t), 0.0)
    return {
        "noise": noise,
        "chirp": np.sin(2 * np.pi * 0.005 * N * (2 ** (6 * t) - 1) / (6 * np.log(2))),
        "click": click,
        "harmonic": sum(np.sin(2 * np.pi * k * pitch * t) / k for k in range(1, 25)),
        "beating": np.sin(2 * np.pi * 0.1 * N * t) + np.sin(2 * np.pi * 0.102 * N * t),
        "decaying": note,
        "lone note": lone,
    }
