"""Kymatio's development version, run in a process of its own.

The package `scrapl-loss` carries that version under `scrapl/kymatio`. It cannot live beside
the released Kymatio in one process.
"""

import math
import os
import sys
import warnings

import numpy as np
import scipy.special
import torch
from joblib.externals.loky import ProcessPoolExecutor

from utils.experiments.published import search_path


def reference_outputs(jobs):
    """Run the reference on a list of jobs: (settings of our `JTFS`, signals of shape (batch, N)).

    Returns a list of (paths, banks): paths maps the key of each path, in the order in which the
    reference generates them, to an array (batch, time); banks holds (xi, sigma, j) of the filters
    of first order, second order and log-frequency.
    """
    with ProcessPoolExecutor(max_workers=1) as process:
        return process.submit(_outputs, jobs).result()


def _outputs(jobs):
    warnings.simplefilter("ignore")
    sys.path[:0] = search_path().split(os.pathsep)
    vars(scipy.special).setdefault("sph_harm", None)  # as in utils/experiments/published.py
    from kymatio.torch import TimeFrequencyScattering

    torch.set_num_threads(1)  # its operations are too small to share
    outputs = []
    for settings, signals in jobs:
        settings = {**settings, "shape": settings["length"], "F": settings["F"] or 0}
        del settings["length"]
        operator = TimeFrequencyScattering(**settings, format="time", out_type="dict")
        with torch.no_grad():
            paths = operator(torch.from_numpy(signals).float())
        filters = operator.psi1_f, operator.psi2_f, operator.filters_fr[1]
        banks = [[[psi[name] for psi in bank] for name in ("xi", "sigma", "j")] for bank in filters]
        outputs.append(({key: value.numpy() for key, value in paths.items() if key}, banks))
    return outputs


def as_means(jtfs, paths):
    """The reference's outputs as our `jtfs` defines them: (batch, D), NaN where it has none.

    The reference sums where ours averages; it does not average the path of zero quefrency; and
    when F is local it strides over that path in steps of 2**J_fr, more than it was sampled with.
    """
    from utils.features import wavelets  # the other process imports another Kymatio

    F = jtfs.F
    global_F, width = F == "global", 2**jtfs.J_fr if F in ("global", None) else F
    axis = wavelets.padded_quefrency_length(jtfs.J, jtfs.Q[0], jtfs.J_fr, width)
    scales = wavelets.filter_bank(jtfs.J_fr, jtfs.Q_fr).j
    j_fr = [jtfs.J_fr, *scales, *scales]
    missing = np.full_like(next(iter(paths.values())), np.nan)
    outputs = []
    for path in jtfs.paths[:: jtfs.frames]:
        n1, n2, n_fr = (int(path[name]) for name in ("n1", "n2", "n_fr"))
        key = (n_fr,) if path["order"] == 1 else (n2, n_fr)
        if global_F and n_fr == 0:
            value = np.mean([v for k, v in paths.items() if k[1:] == key], axis=0)
        elif global_F:
            value = paths[(0, *key)] / (axis / 2 ** j_fr[n_fr])
        elif n_fr == 0 and F is not None:
            step = 2 ** min(jtfs.J_fr, int(math.log2(F)))
            value = paths.get((n1 // step * 2**jtfs.J_fr, *key), missing)
        else:
            value = paths[(n1, *key)]
        if jtfs.T == "global":
            value = value * 2 ** (jtfs.J if path["order"] == 1 else jtfs.bank_2.j[n2]) / jtfs.padded
        outputs.append(value)
    return np.stack(outputs, axis=1).reshape(len(missing), -1)
