"""Print the built site, chapters and all, as `_build/html/book.pdf`."""

import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from pypdf import PdfWriter

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
LOADED = """async () => {
  dispatchEvent(new Event("beforeprint"));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
}"""


def main(names: list[str], file: Path) -> None:
    """Print some pages of the site, one after another, into one file."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    whole = PdfWriter()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        for name in names:
            page.goto((HTML / f"{name}.html").as_uri())
            page.evaluate(LOADED)
            page.wait_for_function("!document.querySelector('.math:not(:has(mjx-container))')")
            page.evaluate(
                "MathJax.startup?.promise.then(() => document.fonts.ready).then(() => null)"
            )
            page.wait_for_timeout(500)  # its fonts
            part = Path(folder) / f"{len(whole.pages)}.pdf"
            page.pdf(path=part, format="A4", print_background=True)
            whole.append(part, outline_item=page.title())
        browser.close()
    whole.write(file)


if __name__ == "__main__":
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    main(re.findall(r"(?:root|file): (\S+)", toc), HTML / "book.pdf")
