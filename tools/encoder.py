"""Train the encoders of chapter 7 longer, with several seeds: `book/records/encoder.jsonl`.

Finished trainings are kept as the chapters' shared work is, so that an interrupted run goes on.
"""

import sys
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import training  # noqa: E402
from utils.experiments.cache import once  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402


def main():
    steps = training.RECORDED_STEPS
    for name in steps:
        training.criterion(name)  # what several trainings share is computed once
    jobs = [(name, seed, steps[name]) for seed in training.SEEDS for name in steps]
    work = (delayed(once)(training.record_of, *job) for job in jobs)
    records = list(tqdm(Parallel(n_jobs=-1, return_as="generator")(work), total=len(jobs)))
    write(training.RECORD, made_with(), map(training.to_line, records))
    print(f"{len(records)} trainings in {training.RECORD.name}")


if __name__ == "__main__":
    main()
