"""What the outputs of a chapter rest on, without running it: its code, what that imports and names.

Imports are followed through the library's files, relative ones too, and through the tables `HOMES`
of packages that import a name when it is asked for. A data file counts where a string of this code
has its name between slashes, with its suffix or without. What is put together at run time is not
seen.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def digest(root: Path, cells: list[str], earlier: dict[str, str]) -> str:
    """A digest of all that the outputs of code cells rest on, in the book at `root`.

    `earlier` holds the digests of the chapters before, on which a page rests that reads what they
    made, in the folder `executed`.
    """
    try:
        tree = ast.parse("\n".join(cells))
    except SyntaxError:  # not plain Python: take it that all of the library is used
        tree = ast.parse("from utils import *")
    modules = library(root, tree)
    strings = (
        node.value
        for each in (tree, *modules.values())
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    words = {word for string in strings for word in string.split("/")}
    requirements = (root / "requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[^#\s]+", requirements, re.M)
    others = earlier if "executed" in words else {}
    return content(root, [*modules, *data(root, words)], sys.version, cells, pins, others)


def content(root: Path, files: Iterable[Path], *more) -> str:
    """A digest of files, by name and content, and of whatever else has a `repr`."""
    total = hashlib.sha256(repr(more).encode())
    for file in sorted(files):
        total.update(repr((file.relative_to(root).as_posix(), file.read_bytes())).encode())
    return total.hexdigest()


def library(root: Path, tree: ast.AST) -> dict[Path, ast.Module]:
    """The files of `utils` that code imports, and those that they import, each parsed."""
    found, waiting = {}, list(imports(tree, ""))
    while waiting:
        *package, name = parts = waiting.pop().split(".")
        if parts[0] != "utils":
            continue
        for depth in range(1, len(parts) + 1):
            module = root.joinpath(*parts[:depth])
            for file in (module.with_suffix(".py"), module / "__init__.py"):
                if file.is_file() and file not in found:
                    found[file] = ast.parse(file.read_bytes())
                    waiting += imports(found[file], ".".join(file.relative_to(root).parent.parts))
        homes = lazy(found.get(root.joinpath(*package, "__init__.py")))
        for known in homes if name == "*" else homes.keys() & {name}:
            waiting.append(".".join(package) + homes[known])
    return found


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """What code of a package imports, in dots: modules, names of one, `utils.*` for all names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield f"{alias.name}.*" if alias.asname or "." in alias.name else alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "utils":
            yield f"utils.{node.attr}"


def lazy(init: ast.Module | None) -> dict[str, str]:
    """From a name to a module such as ".synth": the table `HOMES` of a package, turned round."""
    for node in init.body if init else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "HOMES":
            homes = ast.literal_eval(node.value)
            return {name: module for module, names in homes.items() for name in names}
    return {}


def data(root: Path, words: set[str]) -> Iterator[Path]:
    """Files beside the code of which a word is the name; not scripts of pages."""
    for folder in ("book", "utils"):
        for file in (root / folder).rglob("*"):
            code = file.suffix in (".py", ".pyc", ".ipynb", ".js", ".css")
            if {file.name, file.stem} & words and not code and file.is_file():
                yield file
