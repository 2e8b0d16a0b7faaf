"""How work is shared out: to processes, here or on a cluster, but for that on an accelerator."""

import torch
from joblib import Parallel

from utils import checks


def parallel(n_jobs: int, device: torch.device) -> Parallel:
    """Joblib's, whose results come in their order as they are made.

    Work on an accelerator stays in this process, whatever backend is set: another would need the
    same accelerator, and memory on it.

    Parameters
    ----------
    n_jobs : processes; -1 for one a core, or for all of a cluster.
    device : of the tensors.

    Raises
    ------
    TypeError, ValueError
        If there is no such number of processes.
    """
    checks.instance("device", device, torch.device)
    here = {} if device.type == "cpu" else {"backend": "sequential"}
    return Parallel(n_jobs=checks.jobs(n_jobs) if not here else 1, return_as="generator", **here)
