"""Tables of text in aligned columns."""

from __future__ import annotations

from .printable import printable


def table(rows: list[tuple[str, ...]], right: frozenset[int] = frozenset()) -> str:
    """Return rows of text in aligned columns, heading first, harmless for a terminal.

    The columns in `right` are flush right.
    """
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    heading, *body = map(line, rows)
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([heading, rule, *body])
