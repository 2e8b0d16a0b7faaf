"""What a comparison comes to, as text that any screen sets: who succeeds at what, and what to use.

Tables and trees are HTML with the book's colours, for light ground and for dark.
"""

import html
from collections.abc import Mapping

from IPython.display import HTML, display

from .colours import SHEET, style
from .typeset import typeset

Choice = str | tuple[str, Mapping[str, "Choice"]]  # what to use, or a question and its answers
STYLE = f"""<style>{SHEET}
.dtfa-heat table {{ border-collapse: separate; border-spacing: 2px; margin: 0; }}
.dtfa-heat :is(th, td) {{ padding: 0.3em 0.4em; border: 0; font-weight: normal; }}
.dtfa-heat tbody th {{ text-align: left; }}
.dtfa-heat thead th {{ vertical-align: bottom; text-align: center; }}
.dtfa-heat td {{ min-width: 3em; text-align: center; font-variant-numeric: tabular-nums; }}
.dtfa-heat tbody td {{ color: var(--dtfa-ink);
  background: color-mix(in srgb, var(--dtfa-heat) var(--rate), transparent); }}
@media (max-width: 34rem) {{
  .dtfa-heat :is(th, td) {{ padding: 0.25em 0.1em; font-size: 0.85rem; }}
  .dtfa-heat thead th {{ writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }}
}}
.dtfa-choice ul {{ list-style: none; margin: 0; padding: 0; }}
.dtfa-choice ul ul {{ margin-left: 0.4em; border-left: 2px solid var(--dtfa-quiet); }}
.dtfa-choice ul ul > li {{ padding: 0.3em 0 0.3em 1em; }}
.dtfa-choice .use {{ font-weight: 600; }}
</style>"""


def heat_map(record: Mapping[tuple[str, str], tuple[int, int]], caption: str) -> None:
    """Show success rates as a table whose cells are the darker the higher they are.

    `record` holds (successes, trials) by loss and task. Losses are columns, unless there are more
    of them than of tasks.
    """
    losses, tasks = (list(dict.fromkeys(names)) for names in zip(*record, strict=True))
    turned = len(losses) > len(tasks)
    across, down = (tasks, losses) if turned else (losses, tasks)
    head = "".join(f'<th scope="col"{style(name)}>{_text(name)}</th>' for name in across)
    body = ""
    for row in down:
        cells = (record.get((row, name) if turned else (name, row)) for name in across)
        body += (
            f'<tr><th scope="row"{style(row)}>{_text(row)}</th>{"".join(map(_cell, cells))}</tr>'
        )
    table = f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    _show("dtfa-heat", f'<div style="overflow-x:auto">{table}</div>', caption)


def _cell(count: tuple[int, int] | None) -> str:
    if count is None:
        return "<td></td>"
    percent = f"{count[0] / count[1]:.0%}"
    return f'<td style="--rate:{percent}" title="{count[0]} of {count[1]}">{percent}</td>'


def decision(choice: Choice, caption: str) -> None:
    """Show a tree of questions: below each its answers, each with what to use or a question."""
    _show("dtfa-choice", f"<ul><li>{_branch(choice)}</li></ul>", caption)


def _branch(choice: Choice) -> str:
    if isinstance(choice, str):
        return f'<span class="use"{style(choice)}>{_text(choice)}</span>'
    question, answers = choice
    items = (f"<li>{_text(answer)}: {_branch(next_)}</li>" for answer, next_ in answers.items())
    return f"{_text(question)}<ul>{''.join(items)}</ul>"


def _text(text: str) -> str:
    return html.escape(typeset(text))


def _show(kind: str, content: str, caption: str) -> None:
    figure = f'<figure class="{kind}">{content}<figcaption>{_text(caption)}</figcaption></figure>'
    display(HTML(STYLE + figure))
