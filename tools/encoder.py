"""Train the encoders of chapter 7 longer, with several seeds: `book/records/encoder.jsonl`.

Finished trainings are kept as the chapters' shared work is, so that an interrupted run goes on.
"""

import sys
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import training as lessons  # noqa: E402
from utils.experiments.cache import once  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402


def main():
    for name in lessons.LONGER:
        lessons.criterion(name)  # what several trainings share is computed once
    jobs = [(name, seed) for seed in lessons.SEEDS for name in lessons.LONGER]
    work = (delayed(once)(lessons.course, name, seed, lessons.LONGER[name]) for name, seed in jobs)
    courses = list(tqdm(Parallel(n_jobs=-1, return_as="generator")(work), total=len(jobs)))
    write(lessons.RECORD, made_with(), map(lessons.to_line, courses))
    print(f"{len(courses)} trainings in {lessons.RECORD.name}")


if __name__ == "__main__":
    main()
