"""Count the evaluations of textbook solvers and write `book/records/convergence.jsonl`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from utils.experiments import convergence

if __name__ == "__main__":
    convergence.write()
