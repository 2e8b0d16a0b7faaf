"""Draw the picture of the README and of link previews, from surfaces that the chapters computed.

It goes into the built site, once; `make picture` copies it to where the README finds it.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from utils.experiments.cache import once  # noqa: E402
from utils.experiments.comparison import TASKS  # noqa: E402
from utils.features.jtfs import JTFS  # noqa: E402
from utils.features.mss import MSS  # noqa: E402
from utils.page import explorer, plot  # noqa: E402
from utils.search.landscape import Atlas, log_grid  # noqa: E402
from utils.synth import SAMPLE_RATE, am_chirp  # noqa: E402

DELAYS = TASKS["delay"].amounts  # as in chapters 3 to 5, whose surfaces this finds
PLACE, LATE = (2, 4), 2**10
FILE = ROOT / "_build" / "html" / "_static" / "preview.png"


def main():
    if FILE.exists():
        return
    grid = log_grid(am_chirp, (10, 10))
    operators = {"MSS linear": MSS(), "JTFS": JTFS(4 * SAMPLE_RATE, oversampling=0.5)}
    named = {}
    for name, phi in operators.items():
        chart = once(explorer.chart, phi, grid, DELAYS)
        at = (DELAYS.index(LATE), *PLACE)
        title = f"{name}, target {LATE / SAMPLE_RATE:g} s late"
        named[title] = chart.losses[at], chart.slopes[at] / grid
    atlas = Atlas(grid, None, None)
    fig = plot.surfaces(atlas, am_chirp, named, explorer.places()[PLACE])
    FILE.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(FILE, dpi=144)


if __name__ == "__main__":
    main()
