"""Layout of a CSV file: delimiter, header, and the number of cells of each row.

The delimiter is the one with which the rows have as many cells as the header, whatever else the
header holds: names may have commas in them.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

import numpy as np

#: Delimiters that are rare within cells come first and win a draw.
DELIMITERS = "\t;|,"
_NO_DELIMITER = "\x1f"  # for a single column, whose cells may hold any of them
_SAMPLE_ROWS = 100
_SAMPLE_BYTES = 1 << 20
_PIECE = 1 << 22  # bytes that are scanned at a time
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?\s*")
_DECLARED = re.compile(rb"sep=(.)\r?\n", re.IGNORECASE)  # the first line that Excel understands


@dataclass(frozen=True)
class Layout:
    """The layout of a CSV file.

    Attributes
    ----------
    delimiter : str
    names : list of str
        The header's cells; those of empty ones are "Unnamed: " and their number, from 0.
    start : int
        Byte at which the rows begin.
    lines : int
        Lines before the rows.
    skipped : int
        Lines of comments above the header.
    trailing : bool
        Whether every row, but not the header, ends with a delimiter.
    rows : list of list of str
        Cells of the first rows that are not blank.
    """

    delimiter: str
    names: list[str]
    start: int
    lines: int
    skipped: int = 0
    trailing: bool = False
    rows: list[list[str]] = field(default_factory=list, repr=False)


def layout_of(data: bytes) -> Layout:
    """Find the layout of a CSV file that is given as UTF-8."""
    declared = _DECLARED.match(data)
    begin = declared.end() if declared else 0
    sample = _sample(data, begin)
    skipped, delimiter = _comments_and_delimiter(sample)
    if declared:
        delimiter = declared[1].decode("latin-1")
    records, lines = _records("".join(_lines(sample)[skipped:]), delimiter)
    full = [i for i, record in enumerate(records) if record]
    header, rows = records[full[0]], [records[i] for i in full[1:]]
    lines_above = skipped + lines[full[0]]
    return Layout(
        delimiter,
        names=[name or f"Unnamed: {i}" for i, name in enumerate(header)],
        start=_line_start(data, begin, lines_above),
        lines=lines_above + bool(declared),
        skipped=skipped,
        trailing=bool(rows) and all(len(row) == len(header) + 1 and row[-1] == "" for row in rows),
        rows=rows,
    )


def _sample(data: bytes, begin: int) -> str:
    """Return the first rows as text."""
    end = begin
    for _ in range(_SAMPLE_ROWS + 1):
        end = data.find(b"\n", end) + 1
        if not end or end - begin > _SAMPLE_BYTES:
            break
    return data[begin : end or len(data)].decode("utf-8", errors="ignore")


def _lines(sample: str) -> list[str]:
    return io.StringIO(sample, newline="\n").readlines()


def _records(sample: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows of a text and for each the number of lines until its end."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    records, lines = [], []
    try:
        for record in reader:
            records.append(record)
            lines.append(reader.line_num)
    except csv.Error:  # a cell beyond the limit: a quote that is never closed
        pass
    return records or [[sample]], lines or [1]


def _comments_and_delimiter(sample: str) -> tuple[int, str]:
    """Return the number of lines of comments above the header, and the delimiter.

    Lines that begin with "#" are left out if the rows then fit the header better, or as well and
    the next line looks more like names.
    """
    lines = _lines(sample)
    found, best = (0, _NO_DELIMITER), ((0.5, 0), False, False)
    for skipped, line in enumerate(lines):
        rest = "".join(lines[skipped:])
        delimiter, fit = _delimiter(rest)
        names = not any(_NUMBER.fullmatch(cell) for cell in _records(rest, delimiter)[0][0])
        score = (fit, names, not line.startswith("# "))
        if score > best:
            found, best = (skipped, delimiter), score
        if not line.startswith("#"):
            break
    return found


def _delimiter(sample: str) -> tuple[str, tuple[float, int]]:
    """Return the delimiter with which most rows are as long as the header, and the longest.

    Its score is the share of such rows, and the number of columns.
    """
    best, scores = _NO_DELIMITER, (0.5, 0)
    for delimiter in DELIMITERS:
        first, *rows = [row for row in _records(sample, delimiter)[0] if row] or [[]]
        fits = [len(row) - len(first) in (0, 1) for row in rows] or [True]
        score = (round(sum(fits) / len(fits), 1), len(first))
        if len(first) > 1 and score > scores:
            best, scores = delimiter, score
    return best, scores


def _line_start(data: bytes, begin: int, lines: int) -> int:
    """Return the byte at which a line begins, counted from `begin`; the file's length if none."""
    for _ in range(lines):
        begin = data.find(b"\n", begin) + 1
        if not begin:
            return len(data)
    return begin


def row_lengths(data: bytes, layout: Layout) -> np.ndarray:
    """Count the cells of each row that is not blank, shape (n,); quotes are respected."""
    text = np.frombuffer(data, dtype=np.uint8)[layout.start :]
    quoted = data.find(b'"', layout.start) >= 0
    inside, cells, before = 0, [], 0
    lengths: list[np.ndarray] = []
    for begin in range(0, len(text), _PIECE):
        piece = text[begin : begin + _PIECE]
        outside = np.ones(len(piece), dtype=bool)
        if quoted:
            # 1 after an odd number of quotes; uint8 wraps around at an even number.
            odd = (np.cumsum(piece == ord('"'), dtype=np.uint8) + np.uint8(inside)) & 1
            outside, inside = odd == 0, int(odd[-1])
        seps = np.flatnonzero((piece == ord(layout.delimiter)) & outside)
        ends = np.flatnonzero((piece == ord("\n")) & outside)
        cells.append(np.searchsorted(seps, ends) + before)
        before += len(seps)
        lengths.append(ends + begin)
    stops = np.concatenate(lengths) if lengths else np.empty(0, dtype=np.intp)
    totals = np.concatenate(cells) if cells else np.empty(0, dtype=np.intp)
    if len(text) and (not len(stops) or stops[-1] != len(text) - 1):  # no line feed at the end
        stops, totals = np.append(stops, len(text)), np.append(totals, before)
    counts = np.diff(totals, prepend=0) + 1
    widths = np.diff(stops, prepend=-1) - 1
    blank = (widths == 0) | ((widths == 1) & (text[np.minimum(stops, len(text)) - 1] == ord("\r")))
    return counts[~blank]


def may_have_leading_zeros(data: bytes, layout: Layout) -> bool:
    """Return whether zero and another digit stand at the beginning of a cell or behind a sign."""
    text = np.frombuffer(data, dtype=np.uint8)[max(layout.start - 1, 0) :]
    before = np.zeros(256, dtype=bool)
    before[list(layout.delimiter.encode() + b'\n\r "+-')] = True
    for begin in range(0, len(text), _PIECE):
        piece = text[begin : begin + _PIECE + 2]
        zeros = np.flatnonzero(piece[1:-1] == ord("0"))
        if np.any(before[piece[zeros]] & (piece[zeros + 2] - np.uint8(ord("0")) < 10)):
            return True
    return False
