"""Work shared by the cores of this machine, or by a cluster."""

import torch
from joblib import Parallel, effective_n_jobs
from joblib.parallel import get_active_backend

from .. import checks


def parallel(n_jobs: int, device: torch.device, count: int = 1) -> Parallel:
    """Joblib's, with `n_jobs` processes, whose results come in their order as they are made.

    Of `count` pieces of work, some travel together, with one copy of the operator that all need.
    Work on an accelerator stays in this process, whatever backend is set: another would need the
    same accelerator, and memory on it.
    """
    if device.type != "cpu":
        return Parallel(n_jobs=1, return_as="generator", backend="sequential")
    if client := getattr(get_active_backend()[0], "client", None):  # of a Dask cluster
        _try_cluster(client)
    together = max(1, count // (4 * effective_n_jobs(n_jobs)))
    return Parallel(n_jobs=n_jobs, return_as="generator", batch_size=together)


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
