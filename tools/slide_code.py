"""Code as a slide can show it: in few and narrow lines, so that its letters can be large."""

import ast
import re
import textwrap
import tokenize
from collections.abc import Callable
from io import StringIO

import black

LINES = 16  # on a slide: more go on another
COLUMNS = 80
NARROW = black.Mode(line_length=COLUMNS, preview=True, unstable=True)  # cuts strings too


def without(source: str, spared: Callable[[ast.stmt], bool]) -> str:
    """Code without some of its statements, as long as its blocks keep others; dots for an `if`."""
    source = textwrap.dedent(source)
    lines, tree = source.splitlines(), ast.parse(source)
    blocks = [n.body for n in ast.walk(tree) if isinstance(getattr(n, "body", None), list)]
    blocks = [b for b in blocks if b is tree.body or not all(map(spared, b))]
    leaving = [statement for block in blocks for statement in block if spared(statement)]
    for statement in sorted(leaving, key=lambda s: s.lineno, reverse=True):
        mark = [f"{' ' * statement.col_offset}# ..."] if isinstance(statement, ast.If) else []
        lines[statement.lineno - 1 : statement.end_lineno] = mark
    return re.sub(r"( *# \.\.\.\n)\1+", r"\1", "\n".join(lines)).strip()


def shows(statement: ast.stmt) -> bool:
    """Whether it calls `claim` or `show`: the slide has what they make."""
    return bool(re.match(r"claim$|show\.", called(statement)))


def guards(statement: ast.stmt) -> bool:
    """Whether it is a docstring, a check of arguments, or a refusal."""
    if isinstance(statement, ast.If) and not statement.orelse:
        return isinstance(statement.body[-1], ast.Raise)
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or called(statement).startswith("checks.")


def called(statement: ast.stmt) -> str:
    """The name of what a statement calls, if that is all it does."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return ast.unparse(call.func) if isinstance(call, ast.Call) else ""


def narrow(source: str) -> list[str]:
    """Lines of code that can be set in large letters; a long comment goes above its line."""
    source = textwrap.dedent(source)
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    comments = {t.start[0]: t.start[1] for t in tokens if t.type == tokenize.COMMENT}
    lines = []
    for row, line in enumerate(source.splitlines(), 1):
        code, words = line, ""
        if len(line) > COLUMNS and row in comments:
            code, words = line[: comments[row]].rstrip(), line[comments[row] + 1 :]
        margin = line[: len(line) - len(line.lstrip())]
        lines += wrapped(words.strip(), margin + "# ")
        if re.fullmatch(r' *""".*"""', code):
            lines += wrapped(code.strip(), margin)
        elif code:
            lines.append(code)
    text = black.format_str("\n".join(lines), mode=NARROW)
    return re.sub(r"\n{3,}", "\n\n", text).splitlines()


def wrapped(words: str, margin: str) -> list[str]:
    return textwrap.wrap(words, COLUMNS, initial_indent=margin, subsequent_indent=margin)


def parts(lines: list[str]) -> list[list[str]]:
    """Lines of code, cut where they are indented least if they are too many for a slide."""
    if len(lines) <= LINES:
        return [lines]
    starts = [k for k in range(3, LINES + 1) if begins(lines[k])] or [LINES]
    cut = min(starts, key=lambda k: (len(lines[k]) - len(lines[k].lstrip()), -k))
    return [lines[:cut], *parts(lines[cut:])]


def begins(line: str) -> bool:
    """Whether a line begins something, rather than going on with it or closing it."""
    return bool(line) and not re.match(r" *([)\]}]|else|elif|except|finally)", line)
