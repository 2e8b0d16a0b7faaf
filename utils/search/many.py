"""Many searches at once, on the cores of this machine or on a cluster."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from torch import Tensor
from tqdm import tqdm

from .. import checks
from .match import Match, check_as_many


def match_all(
    solver: Callable[..., Match],
    synth: Callable[[Tensor], Tensor],
    targets: Float[Tensor, "K n"],
    starts: Float[Tensor, "K P"],
    *,
    n_jobs: int = -1,
) -> list[Match]:
    """Search for the parameters of each target sound, from a start of its own.

    Parameters
    ----------
    solver : a solver with all but sounds and starts fixed, such as
        `partial(gradient_descent, loss=loss)` or `partial(gauss_newton, phi=phi)`.
    n_jobs : processes of joblib that share the work; -1 for one a core; one on an accelerator.
    """
    checks.function("solver", solver)
    checks.floating("targets", targets, ndim=2)
    checks.floating("starts", starts, ndim=2)
    check_as_many(targets, starts)
    pairs = zip(targets, starts, strict=True)
    # Rows are copied: a view would take the whole of its tensor along to another process.
    work = (delayed(solver)(synth=synth, target=y.clone(), theta0=s.clone()) for y, s in pairs)
    matches = parallel(n_jobs, targets.device)(work)
    return list(tqdm(matches, desc="match_all", total=len(targets), leave=False))


def parallel(n_jobs: int, device: torch.device) -> Parallel:
    """Joblib's, with `n_jobs` processes, whose results come in their order as they are made.

    Work on an accelerator stays in this process, whatever backend is set: another would need the
    same accelerator, and memory on it.
    """
    if device.type != "cpu":
        return Parallel(n_jobs=1, return_as="generator", backend="sequential")
    if client := getattr(get_active_backend()[0], "client", None):  # of a Dask cluster
        _try_cluster(client)
    return Parallel(n_jobs=n_jobs, return_as="generator")


def _try_cluster(client) -> None:
    """Have all of it import this library: joblib waits for ever for a job that was not read."""
    effective_n_jobs()  # waits for a first worker, and says so if none comes
    try:
        for run in (client.run_on_scheduler, client.run):
            run(checks.function, "work", _try_cluster)
    except Exception as error:
        raise RuntimeError(
            f"the Dask cluster at {client.scheduler.address} cannot import this library ({error}); "
            "start its scheduler and each worker by `python -m dask` in a clone of the book, with "
            "the clone's own Python"
        ) from error
