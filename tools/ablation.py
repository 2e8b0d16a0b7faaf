"""Make the records `ablation.jsonl` and `polish.jsonl` in `book/records`.

Three minutes on a GPU, an hour or more on two cores. What is done is kept in `_build`, operator by
operator, so that an interrupted run goes on where it stopped unless the library has changed.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments import ablation  # noqa: E402
from utils.experiments.record import made_with, write  # noqa: E402


def kept(file: Path, work: Callable, to_line: Callable) -> list[str]:
    """The lines of a file, which are made first if there is none."""
    if not file.exists():
        began = time.perf_counter()
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_suffix(".new")  # replaced at once: a kill here must lose nothing
        whole.write_text("\n".join(map(to_line, work())), encoding="utf-8")
        whole.replace(file)
        print(f"{file.name}: {time.perf_counter() - began:.0f} s", flush=True)
    return file.read_text(encoding="utf-8").splitlines()


def main(device: str):
    made = made_with() | {"device": device_name(device)}
    device = torch.device(device)
    folder = ROOT / "_build" / "ablation" / made["sources"]
    polished = []
    for one in ablation.POLISHED:
        work = partial(ablation.polish, one, device)
        polished += kept(folder / f"polish-{'-'.join(map(str, one))}", work, ablation.to_line)
    write(ablation.POLISH, made, polished)
    findings = []
    for one in ablation.OPERATORS:
        work = partial(ablation.findings, one, device)
        findings += kept(folder / "-".join(map(str, one)), work, ablation.to_line)
    write(ablation.RECORD, made, findings)


def device_name(device: str) -> str:
    """What a record says of the machine."""
    return torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()} processor"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    main(**vars(parser.parse_args()))
