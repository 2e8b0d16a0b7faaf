"""Draw the picture of the README and of link previews, from the surfaces of chapter 1.

It stays in _build until what it rests on changes, and goes into the built site; `make picture`
copies it to where the README finds it.
"""

import shutil
import sys
from pathlib import Path

from inputs import digest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils import SAMPLE_RATE, am_chirp  # noqa: E402
from utils.experiments.charts import read, target_grid  # noqa: E402
from utils.page import figures  # noqa: E402

TARGET, LATE = (2, 3), 2**10  # indices of the target, and its delay
PICTURE, MARK = ROOT / "_build" / "preview.png", ROOT / "_build" / "preview.digest"


def main() -> None:
    now = digest(ROOT, [Path(__file__).read_text(encoding="utf-8")], {})
    if not PICTURE.exists() or not MARK.exists() or MARK.read_text() != now:
        draw()
        MARK.write_text(now)
    shutil.copy(PICTURE, ROOT / "_build" / "html" / "_static")


def draw() -> None:
    named = {}
    for name, chart in read().items():
        at = (chart.delays.index(LATE), *TARGET)
        title = f"{name}, target {LATE / SAMPLE_RATE:g} s late"
        named[title] = chart.losses[at], chart.slopes[at]
    fig = figures.surfaces(chart.grid, am_chirp, named, target_grid()[TARGET])
    fig.savefig(PICTURE, dpi=144)


if __name__ == "__main__":
    main()
