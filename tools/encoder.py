"""Train the encoders of chapter 7 longer, with several seeds: `book/records/encoder.jsonl`.

Finished trainings are kept as the chapters' shared work is, so that an interrupted run goes on.
"""

import json
import sys
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import training  # noqa: E402
from utils.experiments.cache import once  # noqa: E402
from utils.experiments.encoder import Training  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402


def main():
    steps = training.RECORDED_STEPS
    for name in steps:
        training.criterion(name)  # what several trainings share is computed once
    jobs = [(name, seed, steps[name]) for seed in training.SEEDS for name in steps]
    work = (delayed(once)(training.train_encoder, *job) for job in jobs)
    trained = list(tqdm(Parallel(n_jobs=-1, return_as="generator")(work), total=len(jobs)))
    lines = [line(name, seed, done) for (name, seed, _), done in zip(jobs, trained, strict=True)]
    write(training.RECORD, made_with(), lines)
    print(f"{len(lines)} trainings in {training.RECORD.name}")


def line(name: str, seed: int, done: Training) -> str:
    """What the record keeps of a training, as JSON."""
    seconds = [round(value, 2) for value in done.seconds]
    errors = {key: [round(value, 4) for value in values] for key, values in done.errors.items()}
    kept = {"name": name, "seed": seed, "steps": done.steps, "seconds": seconds, "errors": errors}
    return json.dumps(kept)


if __name__ == "__main__":
    main()
