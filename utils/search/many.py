"""Many searches, and how many of them succeed."""

from collections.abc import Callable, Sequence

from joblib import delayed
from scipy.stats import binomtest
from torch import Tensor
from tqdm import tqdm

from .. import checks
from .match import Match, steps_to
from .processes import parallel


def match_all(
    solver: Callable[..., Match],
    synth: Callable[[Tensor], Tensor],
    targets: Tensor,
    starts: Tensor,
    *,
    n_jobs: int = -1,
) -> list[Match]:
    """Search for the parameters of each target sound, from a start each.

    Parameters
    ----------
    solver : a solver of `utils.match` with all but sounds and starts fixed, such as
        `partial(gradient_descent, loss=loss)` or `partial(gauss_newton, phi=phi)`.
    synth : from parameters (P,) to sound (N,).
    targets : (K, N), the sounds to match.
    starts : (K, P).
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an accelerator.

    Raises
    ------
    TypeError, ValueError
        If `targets` and `starts` are not tensors of as many rows.
    """
    checks.function("solver", solver)
    checks.function("synth", synth)
    checks.jobs(n_jobs)
    checks.floating("targets", targets)
    checks.floating("starts", starts)
    if targets.ndim != 2 or starts.ndim != 2 or len(targets) != len(starts):
        raise ValueError(
            f"targets has shape {tuple(targets.shape)} and starts {tuple(starts.shape)}; "
            "expected (K, N) and (K, P)"
        )
    pairs = zip(targets, starts, strict=True)
    # Rows are copied: a view would take the whole of its tensor along to another process.
    work = (delayed(solver)(synth=synth, target=y.clone(), theta0=s.clone()) for y, s in pairs)
    found = parallel(n_jobs, targets.device)(work)
    return list(tqdm(found, desc="match_all", total=len(targets), leave=False))


def succeeded(matches: Sequence[Match], truths: Tensor, tolerance: float = 0.05) -> list[bool]:
    """Whether each search ends with every parameter within `tolerance` of the truth (K, P).

    This knows the truth: it judges solvers, and no solver may use it.

    Raises
    ------
    TypeError, ValueError
        Unless there are as many truths as searches, of as many parameters.
    """
    checks.positive("truths", truths, ndim=2)
    matches = checks.every("matches", matches, _a_match, count=len(truths))
    pairs = zip(matches, truths, strict=True)
    return [steps_to(match, truth, tolerance) is not None for match, truth in pairs]


def _a_match(name: str, value: Match) -> Match:
    return checks.instance(name, value, Match)


def successes(matches: Sequence[Match], truths: Tensor, tolerance: float = 0.05) -> int:
    """How many searches have `succeeded`."""
    return sum(succeeded(matches, truths, tolerance))


def wilson(count: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a rate of success (Wilson, JASA 22(158), 1927).

    Raises
    ------
    TypeError, ValueError
        Unless `count` lies between 0 and `trials`, which is at least 1.
    """
    checks.integer("trials", trials, least=1)
    if checks.integer("count", count, least=0) > trials:
        raise ValueError(f"count is {count} and trials is {trials}; expected no more than trials")
    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return interval.low, interval.high
