"""What a chapter needs of its machine; the first cell of each chapter imports this, before torch.

Everywhere, threads that wait asleep. On Colab, also the packages that Colab lacks, in the versions
that the book requires, and the GPU as torch's default device, where there is one.
"""

import os
import subprocess
import sys
from pathlib import Path

# Threads that wait by spinning make a busy machine many times slower; torch reads this once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if "google.colab" in sys.modules:
    required = Path(__file__).parents[2] / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    lacking = [
        "kymatio",
        "auraloss",
        "scrapl-loss",
        "jaxtyping",
        "wadler-lindig",
    ]  # jaxtyping needs the last
    subprocess.run([*pip, "--constraint", required, *lacking], check=True)
    import torch

    if torch.accelerator.is_available():
        torch.set_default_device(torch.accelerator.current_accelerator())
    print(f"Ready, on {torch.get_default_device()}.")
