"""What a few lines of theory predict of the losses; no constant in it is fitted.

A chirp is drawn in the plane of time and log-frequency as a ridge that climbs by gamma octaves a
second, under a Gaussian of standard deviation b / (10 gamma), in beads |sin(2 pi f_m t)|. In the
plane of rate alpha and quefrency beta that is three bumps: one along alpha = gamma beta, which log
gamma translates, and two at a distance of 2 f_m from it, which log f_m translates.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..features.compression import Compressed
from ..features.jtfs import JTFS
from ..search.jacobian import features_and_slopes, features_of
from ..synth import SAMPLE_RATE, am_chirp, ripple
from .tasks import TASKS

BANDWIDTH = 2.0  # octaves, b of `am_chirp`
# Fourier coefficients of |sin|: its mean, and half of its first cosine.
BEADS = ((0, 2 / math.pi), (1, 2 / (3 * math.pi)), (-1, 2 / (3 * math.pi)))
CARRIER = 512.0


def ridge(gamma: float) -> tuple[float, float]:
    """Standard deviations of a chirp: in time (seconds), and in log-frequency (octaves)."""
    return BANDWIDTH / (10 * gamma), BANDWIDTH / 10


def jtfs_of_chirp(theta: Float[Tensor, " 2"], phi: JTFS) -> Float[Tensor, " paths"]:
    """Predicted features of the second order and spin other than 0 of JTFS, both means global.

    The energy of the three bumps within the band of each joint wavelet gives the mean square of
    its output, and its duration and its height in log-frequency turn that into a mean modulus.
    """
    f_m, gamma = theta.tolist()
    duration, height = ridge(gamma)
    per_octave = phi.Q[0]
    paths = phi.paths[joint_paths(phi)]
    alpha = np.geomspace(0.02, SAMPLE_RATE / 8, 800)  # Hz
    beta = np.linspace(-per_octave / 2, per_octave / 2, 401)  # cycles per octave; < 0 falls
    # A row of the scalogram is a Gaussian of log-frequency, of the relative width of psi_1.
    width = phi.bank_1.sigma[0] / phi.bank_1.xi[0] / math.log(2)
    profile = np.exp(-2 * (math.pi * width * beta) ** 2)
    energy = 0.0
    for k, amplitude in BEADS:
        centre = 2 * k * f_m + gamma * beta
        bump = np.exp(-2 * (math.pi * duration * (alpha[:, None] - centre)) ** 2)
        energy = energy + (amplitude * duration * profile * bump) ** 2
    along_time = _gaussian(alpha, paths["xi_2"] * SAMPLE_RATE, paths["sigma_2"] * SAMPLE_RATE)
    xi_fr, sigma_fr = paths["xi_fr"] * per_octave, paths["sigma_fr"] * per_octave
    along_frequency = _gaussian(beta, xi_fr, sigma_fr)
    steps = np.gradient(alpha)[:, None], beta[1] - beta[0]
    within = along_time**2 @ (energy * steps[0] * steps[1])
    seen = (within * along_frequency**2).sum(-1)
    spread = np.hypot(duration, 1 / (2 * math.pi * paths["sigma_2"] * SAMPLE_RATE))
    tall = np.hypot(height, 1 / (2 * math.pi * sigma_fr))
    # At unit energy the amplitude of a chirp grows with the root of gamma, since its length falls.
    return torch.from_numpy(np.sqrt(gamma * seen * spread * tall))


def jtfs_of_ripple(theta: Float[Tensor, " 2"], phi: JTFS) -> Float[Tensor, " paths"]:
    """As `jtfs_of_chirp`, of a ripple: one point of the plane, at (w, -Omega)."""
    paths = phi.paths[joint_paths(phi)]
    rate, density = (np.array([each]) for each in (theta[0].item(), -theta[1].item()))
    seen = _gaussian(rate, paths["xi_2"] * SAMPLE_RATE, paths["sigma_2"] * SAMPLE_RATE)
    seen *= _gaussian(density, paths["xi_fr"] * phi.Q[0], paths["sigma_fr"] * phi.Q[0])
    return torch.from_numpy(seen[:, 0])


def joint_paths(phi: JTFS) -> np.ndarray:
    """Which paths are of the second order, with a spin other than 0: what sees a direction."""
    return (phi.paths["order"] == 2) & (phi.paths["spin"] != 0)


def against_measurement(
    synth: Callable,
    theta: Float[Tensor, " 2"],
    phi: JTFS,
    factors: Iterable[Float[Tensor, " 2"]],
) -> tuple[list[float], list[float]]:
    """Distances, over the norm, of a sound to others whose parameters differ by some factors.

    First the predicted ones, then those of the joint paths of `phi`.
    """
    joint = torch.from_numpy(joint_paths(phi))
    others = [theta * factor for factor in factors]
    here, *there = features_of(phi, torch.stack([theta, *others]), synth)[:, joint]
    measured = [((each - here).norm() / here.norm()).item() for each in there]
    return [distance(synth, theta, other, phi) for other in others], measured


def under_warps(
    operators: Mapping[str, nn.Module], pairs: int, amounts: Sequence[float]
) -> dict[str, list[float]]:
    """How far features move when a clock is off by up to some amounts, by operator.

    In parts of the distance to the next of the sounds, which are the sequences of the task "warp";
    the median over pairs.
    """
    task, changes = TASKS["warp"], {}
    sounds = torch.stack([task.target(pair, 0.0) for pair in range(pairs + 1)])
    bent = [torch.stack([task.target(pair, each) for pair in range(pairs)]) for each in amounts]
    for name, phi in operators.items():
        still = features_of(phi, sounds)
        apart = (still[1:] - still[:-1]).norm(dim=-1)
        moved = ((features_of(phi, each) - still[:-1]).norm(dim=-1) for each in bent)
        changes[name] = [(each / apart).median().item() for each in moved]
    return changes


def bias(
    theta: Float[Tensor, " 2"], noise: Float[Tensor, " n"], phi: JTFS | Compressed
) -> Float[Tensor, " 2"]:
    """How far noise moves the minimum around a chirp, in log-parameters, to first order.

    Noise sounds everywhere and the chirp in a small part of the plane, so their means add.
    """
    raw = getattr(phi, "phi", phi)
    mixed = raw(am_chirp(theta)) + raw(noise)
    features, slopes = features_and_slopes(am_chirp, phi, theta)
    added = (mixed if raw is phi else phi.compress(mixed)) - features
    return torch.linalg.lstsq(slopes, added[:, None]).solution[:, 0]


def _gaussian(at: np.ndarray, centre: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * ((at - centre[:, None]) / deviation[:, None]) ** 2)


PREDICTED = {am_chirp: jtfs_of_chirp, ripple: jtfs_of_ripple}


def condition(synth: Callable, theta: Float[Tensor, " 2"], phi: JTFS, step: float = 0.02) -> float:
    """Predicted ratio of curvatures of the squared distance at the truth, in log-parameters."""
    predict, columns = PREDICTED[synth], []
    for move in step * torch.eye(2, dtype=theta.dtype):
        above, below = (predict(theta * each.exp(), phi) for each in (move, -move))
        columns.append(above - below)
    return torch.linalg.cond(torch.stack(columns, -1)).item() ** 2


def distance(
    synth: Callable, theta: Float[Tensor, " 2"], other: Float[Tensor, " 2"], phi: JTFS
) -> float:
    """Predicted Euclidean distance of the features of two sounds, over the norm of the first."""
    one, two = (PREDICTED[synth](each, phi) for each in (theta, other))
    return ((one - two).norm() / one.norm()).item()


def mss_under_delay(theta: Float[Tensor, " 2"], seconds: float, n_fft: int) -> float:
    """Predicted L1 distance of one spectrogram to its delayed self, over that of far-apart events.

    Each frame shows the bead that sounds then, blurred by the window, a Gaussian as wide as Hann's:
    over time by its width, over frequency by that of its transform and by what the chirp climbs
    within it.
    """
    f_m, gamma = theta.tolist()
    duration, _ = ridge(gamma)
    window = 0.1808 * n_fft / SAMPLE_RATE  # standard deviation of Hann's window as a density
    reach = 4 * duration + seconds
    t = np.arange(-reach, reach, min(1 / (16 * f_m), n_fft / SAMPLE_RATE) / 8)
    beads = np.exp(-0.5 * (t / duration) ** 2) * np.abs(np.sin(2 * np.pi * f_m * t))
    blur = np.exp(-0.5 * (t / window) ** 2)
    beads = np.convolve(beads, blur / blur.sum(), mode="same")
    climb = CARRIER * math.log(2) * gamma  # Hz per second, at the middle of the event
    width = math.hypot(1 / (2 * math.pi * window), climb * window)
    late = np.interp(t - seconds, t, beads, left=0, right=0)
    return float(_l1_of_gaussians(beads, late, climb * seconds / width).sum() / (2 * beads.sum()))


def _l1_of_gaussians(a: np.ndarray, b: np.ndarray, apart: float) -> np.ndarray:
    """The L1 distance of Gaussians of areas a and b, of deviation 1, so far apart."""
    f = np.linspace(-6, 6 + apart, 400)
    one, other = (np.exp(-0.5 * (f - at) ** 2) / math.sqrt(2 * math.pi) for at in (0, apart))
    return np.abs(a[:, None] * one - b[:, None] * other).sum(1) * (f[1] - f[0])
