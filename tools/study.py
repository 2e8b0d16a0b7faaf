"""Run searches of the comparison and write its record, `book/records/study.jsonl`.

By default those that the plan has and the record lacks, such as the searches of a new loss.
Finished runs are kept in `_build/study.jsonl` as they come, so that an interrupted study goes on
where it stopped, unless the library has changed meanwhile. joblib distributes them.
"""

import argparse
import contextlib
import json
import sys
from functools import partial
from pathlib import Path

import torch
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import comparison, cost  # noqa: E402
from utils.experiments.cache import library  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402
from utils.search.many import parallel  # noqa: E402
from utils.synth import am_chirp, delay  # noqa: E402

KEPT = ROOT / "_build" / "study.jsonl"


def perform(jobs: list, losses: dict, kept: Path, digest: str, n_jobs: int = -1) -> list:
    """Do all jobs, those kept from the same library excepted; a result for each, in their order."""
    header, lines = json.dumps({"sources": digest}), []
    if kept.exists():
        lines = kept.read_text(encoding="utf-8").split("\n")[:-1]  # the last may be torn
    if lines[:1] != [header]:
        lines = [header]
    kept.parent.mkdir(parents=True, exist_ok=True)
    whole = kept.with_suffix(".new")  # replaced at once: a kill here must lose nothing
    whole.write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole.replace(kept)
    done = {one.key: one for one in map(comparison.from_line, lines[1:])}
    left = [job for job in jobs if job.key not in done]
    with kept.open("a", encoding="utf-8") as file:
        work = (delayed(comparison.run)(job, losses[job.loss]) for job in left)
        results = parallel(n_jobs, torch.device("cpu"))(work)
        for one in tqdm(results, desc="study", total=len(left)):
            done[one.key] = one
            file.write(comparison.to_line(one) + "\n")
            file.flush()
    return [done[job.key] for job in jobs]


def one_step(loss) -> None:
    """Value and gradient of a loss between two sounds of the study."""
    x = am_chirp(torch.tensor([8.0, 2.0]))
    candidate = x.clone().requires_grad_()
    loss(candidate, delay(x, 2**8)).backward()


def megabytes(losses: dict) -> dict[str, int]:
    """Memory of value and gradient of each loss, at its peak, in a fresh process for each."""
    work = (delayed(cost.peak_memory)(partial(one_step, loss)) for loss in losses.values())
    peaks = Parallel(n_jobs=-1, prefer="threads")(work)
    return dict(zip(losses, map(round, peaks), strict=True))


@contextlib.contextmanager
def workers(scheduler: str | None):
    """Set where joblib finds workers: this machine's cores, or a Dask cluster."""
    if scheduler is None:
        yield
        return
    from dask.distributed import Client  # only where there is a cluster

    with Client(scheduler), parallel_config(backend="dask"):
        yield


def main(scheduler: str | None = None, loss: str | None = None):
    contenders = comparison.contenders()
    losses = {name: contender.loss for name, contender in contenders.items()}
    planned = comparison.plan(contenders)
    made, records = comparison.read()
    known = {one.key: one for one in records}
    if loss is None:
        jobs = [job for job in planned if job.key not in known]
    else:
        jobs = [job for job in planned if loss in ("all", job.loss)]
    if not jobs:
        print(f"nothing to run: the record is complete, for {', '.join(losses)}")
        return
    with workers(scheduler):
        results = perform(jobs, losses, KEPT, library())
    known |= {one.key: one for one in results}
    run = {job.loss: losses[job.loss] for job in jobs}
    memory = made["megabytes"] | megabytes(run)
    if len(jobs) == len(planned):
        made = made_with()
    else:
        made["added"] = [*made.get("added", ()), {"losses": list(run), **made_with()}]
    lines = [comparison.to_line(known[job.key]) for job in planned if job.key in known]
    write(comparison.RECORD, made | {"megabytes": memory}, lines)
    print(f"{len(jobs)} of {len(lines)} results in {comparison.RECORD.name} are new")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loss", help='run the searches of this loss anew, or of "all"')
    parser.add_argument("--scheduler", help="of a Dask cluster, such as tcp://localhost:8786")
    main(**vars(parser.parse_args()))
