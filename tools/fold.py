"""Fold machinery away: whatever cell of a chapter begins with `# @title`, everywhere.

The title is its label on the site and in Colab. Of claims, listings and explorers, the site shows
no code at all.
"""

import json
import re
from pathlib import Path

OURS = ("cellView", "jupyter", "tags")
TAGS = {"Setup": "remove-cell", "Solution": "hide-cell"}
SHOWN_ALONE = re.compile(r"^ *(claim|show\.source|explorer\.\w+)\(", re.M)


def main() -> None:
    for path in (Path(__file__).parents[1] / "book").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["metadata"] = folded(cell)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def folded(cell: dict) -> dict:
    """The metadata of a cell, with what the site, Jupyter and Colab need to fold it, or without."""
    metadata = {key: value for key, value in cell["metadata"].items() if key not in OURS}
    source = "".join(cell["source"])
    if title := re.match(r"# @title (\w+)", source):
        tag = "remove-input" if SHOWN_ALONE.search(source) else "hide-input"
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
        metadata["tags"] = [TAGS.get(title[1], tag)]
    return dict(sorted(metadata.items()))


if __name__ == "__main__":
    main()
