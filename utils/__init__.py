"""From parameters to sound, from sound to features, and back: the names that most readers need.

A name is imported from its module when it is asked for, so that `import utils` costs nothing.
"""

from importlib import import_module

HOMES = {
    ".parameters": ["Parameter", "candidates", "draw", "grid", "parameters_of"],
    ".synth": ["SAMPLE_RATE", "am_chirp", "delay", "ripple", "sequence", "warp"],
    ".recording": ["load"],
    ".features.jtfs": ["JTFS"],
    ".features.mss": ["MSS", "spectrogram"],
    ".features.loss": ["SpectralLoss"],
    ".features.compression": ["Logarithm", "Root"],
    ".features.rivals": ["Aligned", "TimeScattering"],
    ".search.match": ["Match", "Stop", "errors"],
    ".search.first_order": ["gradient_descent"],
    ".search.second_order": ["gauss_newton"],
    ".search.batched": ["gauss_newton_all"],
    ".search.from_grid": ["search_from_grid"],
    ".search.quasi_newton": ["quasi_newton"],
    ".search.landscape": [
        "local_minima",
        "loss_surfaces",
        "losses_at",
        "survey",
    ],
    ".search.jacobian": [
        "condition",
        "features_and_jacobian",
        "quadratic_forms",
        "value_and_jacobian",
    ],
    ".search.requirements": ["check_synthesizer"],
}
MODULE_OF = {name: module for module, names in HOMES.items() for name in names}
__all__ = list(MODULE_OF)


def __getattr__(name: str):
    if name not in MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(MODULE_OF[name], __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *MODULE_OF]
