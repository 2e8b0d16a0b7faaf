"""How work is shared out: to processes, here or on a cluster, but for that on an accelerator."""

import torch
from joblib import Parallel, effective_n_jobs
from joblib.parallel import get_active_backend

from .. import checks


def parallel(n_jobs: int, device: torch.device, return_as: str = "generator") -> Parallel:
    """Joblib's, whose results come in their order as they are made.

    Work on an accelerator stays in this process, whatever backend is set: another would need the
    same accelerator, and memory on it.

    Parameters
    ----------
    n_jobs : processes; -1 for one a core, or for all of a cluster.
    device : of the tensors.
    return_as : joblib's; "generator_unordered" for results in the order in which they are made.

    Raises
    ------
    TypeError, ValueError
        If there is no such number of processes.
    RuntimeError
        If a cluster cannot import this library.
    """
    checks.instance("device", device, torch.device)
    here = {} if device.type == "cpu" else {"backend": "sequential"}
    n_jobs = checks.jobs(n_jobs) if not here else 1
    client = getattr(get_active_backend()[0], "client", None)  # of a Dask cluster
    if client is not None and not here:
        _try_cluster(client)
    return Parallel(n_jobs=n_jobs, return_as=return_as, **here)


def _try_cluster(client) -> None:
    """Have all of it import this library: joblib waits for ever for a job that was not read."""
    effective_n_jobs()  # waits for a first worker, and says so if none comes
    try:
        for run in (client.run_on_scheduler, client.run):
            run(checks.jobs, 1)
    except Exception as error:
        raise RuntimeError(
            f"the Dask cluster at {client.scheduler.address} cannot import this library ({error}); "
            "start its scheduler and each worker by `python -m dask` in a clone of the book, with "
            "the clone's own Python"
        ) from error
