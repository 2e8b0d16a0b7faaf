"""From parameters to sound, from sound to features, and back: the names that most readers need.

A name is imported from its module when it is asked for, so that `import utils` costs nothing.
"""

from importlib import import_module

HOMES = {
    "Parameter": ".parameters",
    "draw": ".parameters",
    "grid": ".parameters",
    "parameters_of": ".parameters",
    "SAMPLE_RATE": ".synth",
    "am_chirp": ".synth",
    "delay": ".synth",
    "ripple": ".synth",
    "sequence": ".synth",
    "warp": ".synth",
    "load": ".recording",
    "JTFS": ".features.jtfs",
    "MSS": ".features.mss",
    "spectrogram": ".features.mss",
    "SpectralLoss": ".features.loss",
    "Aligned": ".features.rivals",
    "TimeScattering": ".features.rivals",
    "Match": ".search.match",
    "Stop": ".search.match",
    "errors": ".search.match",
    "steps_to": ".search.match",
    "succeeded": ".search.match",
    "gradient_descent": ".search.first_order",
    "gauss_newton": ".search.second_order",
    "match_all": ".search.many",
    "best_of_grid": ".search.start",
    "losses_at": ".search.start",
    "condition": ".search.jacobian",
    "features_and_jacobian": ".search.jacobian",
    "quadratic_forms": ".search.jacobian",
    "value_and_jacobian": ".search.jacobian",
    "check_synthesizer": ".search.requirements",
    "descends_toward": ".search.landscape",
    "local_minima": ".search.landscape",
    "share_toward": ".search.landscape",
    "share_toward_by_chance": ".search.landscape",
    "survey": ".search.landscape",
}
__all__ = list(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *HOMES]
