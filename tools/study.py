"""Run the comparison whole and write its record, `book/records/study.jsonl`.

Finished runs are kept in `_build/study.jsonl` as they come, so that an interrupted study goes on
where it stopped, unless the sources on which it rests have changed meanwhile. joblib distributes
the runs.
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

from utils.experiments import comparison as study  # noqa: E402
from utils.experiments import cost  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402
from utils.search.processes import parallel  # noqa: E402
from utils.synth import am_chirp, delay  # noqa: E402

KEPT = ROOT / "_build" / "study.jsonl"


def finished(kept: Path, digest: str) -> list:
    """What an earlier, interrupted study of the same library has done."""
    if not kept.exists():
        return []
    first, *lines = kept.read_text(encoding="utf-8").split("\n")
    if json.loads(first) != {"sources": digest}:
        return []
    return [study.from_line(line) for line in lines[:-1]]  # the last may be torn


def perform(jobs: list, losses: dict, kept: Path, digest: str, n_jobs: int = -1) -> list:
    """Do all jobs, those already kept excepted; a record for each, in their order."""
    done = {(type(each), *each.key): each for each in finished(kept, digest)}
    kept.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"sources": digest}), *map(study.to_line, done.values())]
    whole = kept.with_suffix(".new")  # in place at once: a kill here must lose nothing
    whole.write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole.replace(kept)
    with kept.open("a", encoding="utf-8") as file:
        left = [job for job in jobs if (type(job), *job.key) not in done]
        work = (delayed(study.run)(job, losses[job.loss]) for job in left)
        found = parallel(n_jobs, torch.device("cpu"), "generator_unordered")(work)
        for each in tqdm(found, desc="study", total=len(jobs), initial=len(jobs) - len(left)):
            done[type(each), *each.key] = each
            file.write(study.to_line(each) + "\n")
            file.flush()
    return [done[type(job), *job.key] for job in jobs]


def one_step(loss) -> None:
    """Value and gradient of a loss between two sounds of the study."""
    x = am_chirp(torch.tensor([8.0, 2.0]))
    candidate = x.clone().requires_grad_()
    loss(candidate, delay(x, 2**8)).backward()


def megabytes(losses: dict) -> dict[str, int]:
    """Memory of value and gradient of each loss, at its peak, each in a fresh process."""
    work = (delayed(cost.peak_memory)(partial(one_step, loss)) for loss in losses.values())
    found = Parallel(n_jobs=-1, prefer="threads")(work)
    return dict(zip(losses, map(round, found), strict=True))


@contextlib.contextmanager
def workers(scheduler: str | None):
    """Where joblib finds those who do the work: this machine's cores, or a Dask cluster."""
    if scheduler is None:
        yield
        return
    from dask.distributed import Client  # only where there is a cluster

    with Client(scheduler), parallel_config(backend="dask"):
        yield


def main(scheduler: str | None = None):
    losses, made = study.contenders(), made_with()
    jobs = study.plan(list(losses))
    with workers(scheduler):
        records = perform(jobs, losses, KEPT, made["sources"])
    made |= {"megabytes": megabytes({job.loss: losses[job.loss] for job in jobs})}
    write(study.RECORD, made, map(study.to_line, records))
    print(f"{len(records)} records in {study.RECORD.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scheduler", help="of a Dask cluster, such as tcp://localhost:8786")
    main(parser.parse_args().scheduler)
