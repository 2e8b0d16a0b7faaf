"""Train the encoders of chapter 7, those that `book/records/encoder.jsonl` lacks.

Short trials first, for each criterion's step size; then seed by seed. What is finished enters the
record at once, so that an interrupted run goes on. About four hours of one core.
"""

import argparse
import itertools
import sys
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import training  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402

# Of criterion and task; the slowest first.
PAIRS = list(itertools.product(reversed(training.CRITERIA), training.MAX_DELAY))


def main(seeds: int):
    made, rows = training.read() if training.RECORD.exists() else (made_with(), [])
    while jobs := missing_trials(rows):
        run(made, rows, jobs)
    sizes = {pair: training.step_size(rows, *pair) for pair in PAIRS}
    run(made, rows, [(*pair, seed, sizes[pair]) for seed in range(seeds) for pair in PAIRS])
    made["seconds"] = training.seconds_a_step()
    made["longer"] = training.longer(rows)
    made["polished"] = training.polished(rows)
    keep(made, rows)


def missing_trials(rows: list) -> list[tuple]:
    """The trials that the choice of step sizes still needs."""
    sizes = ((pair, size) for pair in PAIRS for size in training.trials(rows, *pair))
    return [(*pair, training.TRIAL_SEED, size) for pair, size in sizes]


def keep(made: dict, rows: list) -> None:
    """Write the record."""
    write(training.RECORD, made, map(training.to_line, sorted(rows, key=lambda one: one.key)))


def run(made: dict, rows: list, jobs: list[tuple]) -> None:
    """Add the trainings that the record lacks to it."""
    known = {one.key for one in rows}
    left = [job for job in jobs if job not in known]
    work = (delayed(training.row)(*job) for job in left)
    results = Parallel(n_jobs=-1, return_as="generator_unordered")(work)
    for one in tqdm(results, desc="trainings", total=len(left)):
        rows.append(one)
        keep(made, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(training.SEEDS), help="of each criterion")
    main(**vars(parser.parse_args()))
