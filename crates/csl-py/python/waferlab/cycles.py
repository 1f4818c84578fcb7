"""The cycles of a run: those of each launch and copy, and those in which the host let the machine wait."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from waferlab import _waferlab

LAUNCH = "launch"


@dataclass(frozen=True)
class Request:
    """The cycles of one request of the host."""

    kind: str
    """"launch", "h2d" or "d2h"."""
    name: str
    """The exported function or symbol, or "color N" for a stream."""
    first: int | None
    """The cycle in which it began: the first PE got the call of a launch, memcpy sent a copy. None where it has not."""
    last: int | None
    """The cycle in which it ended: the last PE unblocked the command stream, or had its words, or had given them. None while
    it is under way."""

    @property
    def cycles(self) -> int | None:
        """From first to last; None while it is under way."""
        return None if self.first is None or self.last is None else self.last - self.first


class Cycles:
    """What the clock of a run was spent on, in clock cycles, up to now. Every cycle counts once: `total` is the sum of
    `launched`, `copied` and `host`."""

    def __init__(self, total: int, requests: list[_waferlab.Request]) -> None:
        self.requests = [Request(r.kind, r.name, r.first, r.last) for r in requests]
        """All requests, in the order in which the host made them."""
        self.total = total
        """Cycles since the start."""
        self.launched = _covered(self.launches, total)
        """Cycles in which some launched function ran."""
        self.copied = _covered(self.requests, total) - self.launched
        """Cycles in which copies were under way and no launched function ran."""
        self.host = total - self.launched - self.copied
        """Cycles in which neither was: the way of commands to the PEs, and PEs that went on by themselves."""

    @property
    def launches(self) -> list[Request]:
        """The launches, in order."""
        return [request for request in self.requests if request.kind == LAUNCH]

    @property
    def copies(self) -> list[Request]:
        """The copies and streams, in order."""
        return [request for request in self.requests if request.kind != LAUNCH]

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        for request in self.requests:
            span = "under way" if request.cycles is None else f"{request.first} to {request.last}"
            yield f"{request.kind} {request.name}", str("" if request.cycles is None else request.cycles), span
        yield "launched", str(self.launched), ""
        yield "copied", str(self.copied), ""
        yield "host", str(self.host), ""
        yield "total", str(self.total), ""

    def __repr__(self) -> str:
        rows = list(self._rows())
        width = max(len(what) for what, _, _ in rows)
        digits = max(len(count) for _, count, _ in rows)
        return "\n".join(f"{what:{width}}  {count:>{digits}}  {span}".rstrip() for what, count, span in rows)

    def _repr_html_(self) -> str:
        cells = ("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        return f"<table><thead><tr><th>request</th><th>cycles</th><th>when</th></tr></thead><tbody>{''.join(cells)}</tbody></table>"


def _covered(requests, total):
    """The number of cycles that some request took; one under way has taken all up to now."""
    spans = sorted((r.first, total if r.last is None else r.last) for r in requests if r.first is not None)
    covered, reached = 0, 0
    for first, last in spans:
        covered += max(0, last - max(first, reached))
        reached = max(reached, last)
    return covered
