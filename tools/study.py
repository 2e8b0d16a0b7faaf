"""Run searches of the comparison and write its record, `book/records/study.jsonl`.

By default those that the plan has and the record lacks, such as the searches of a new loss. What is
finished enters the record at once, so that an interrupted study goes on where it stopped. joblib
distributes the work.
"""

import argparse
import contextlib
import sys
from pathlib import Path

import torch
from joblib import delayed, parallel_config
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import study  # noqa: E402
from utils.experiments.contenders import contenders  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402
from utils.search.many import parallel  # noqa: E402


@contextlib.contextmanager
def workers(scheduler: str | None):
    """Set where joblib finds workers: this machine's cores, or a Dask cluster."""
    if scheduler is None:
        yield
        return
    from dask.distributed import Client  # only where there is a cluster

    with Client(scheduler), parallel_config(backend="dask"):
        yield


def main(scheduler: str | None = None, loss: str | None = None, n_jobs: int = -1):
    made, known = study.read() if study.RECORD.exists() else ({"parts": []}, {})
    planned = study.plan()
    known = {key: row for key, row in known.items() if loss not in ("all", key[0])}
    left = [key for key in planned if key not in known]
    if not left:
        print("nothing to run: the record is complete")
        return
    among = contenders(*{key[0] for key in left})
    made["parts"].append({"losses": sorted({key[0] for key in left})} | made_with())
    with workers(scheduler):
        work = (delayed(study.search)(among[key[0]], *key) for key in left)
        results = parallel(n_jobs, torch.device("cpu"))(work)
        for row in tqdm(results, desc="study", total=len(left)):
            known[row.key] = row
            write(study.RECORD, made, map(study.to_line, known.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loss", help='run the searches of this loss anew, or of "all"')
    parser.add_argument("--scheduler", help="of a Dask cluster, such as tcp://localhost:8786")
    main(**vars(parser.parse_args()))
