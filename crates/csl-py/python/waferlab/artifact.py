"""The output folder of a compilation, which shows itself."""

from __future__ import annotations

import html
import json
import os
from typing import Any

from waferlab import _waferlab
from waferlab.platform import SdkCompileArtifacts


class Artifact(SdkCompileArtifacts):
    """A compiled program: what `waferlab.compile` returns and SdkRuntime takes. It is also a path, the output folder."""

    def __init__(self, artifacts_path: str | os.PathLike[str], messages: str = "", text: str = "") -> None:
        super().__init__(os.fspath(artifacts_path))
        self.messages = messages
        """The warnings of the compilation, as cslc prints them; empty when there were none."""
        self.text = text
        """What cslc prints to its standard output."""

    def __fspath__(self) -> str:
        return self.artifacts_path

    def summary(self) -> dict[str, Any]:
        """The program's chip, sizes in PEs, colors, programs and exported symbols: `waferlab inspect --json`.

        Raises SdkError where the folder holds no compiled program any more.
        """
        return json.loads(_waferlab.inspect(self.artifacts_path, json=True))

    def __str__(self) -> str:
        return self.artifacts_path

    def __repr__(self) -> str:
        return f"<Artifact {self.artifacts_path!r}>"

    def _repr_html_(self) -> str:
        """The summary as a table, for notebooks."""
        about = self.summary()
        size, at, fabric = about["program"], about["offset"], about["fabric"]
        lines = [
            ("chip", about["arch"]),
            ("program", f"{size['width']} x {size['height']} PEs at ({at['x']}, {at['y']})"),
            ("fabric", f"{fabric['width']} x {fabric['height']} PEs"),
            ("colors", ", ".join(map(str, about["colors"])) or "none"),
            ("params", ", ".join(f"{name} = {value}" for name, value in about["params"].items()) or "none"),
        ]
        programs = [(p["name"], p["pes"], p["functions"], f"{p['data_bytes']} bytes") for p in about["programs"]]
        symbols = [(s["name"], s["type"]) for s in about["symbols"]]
        return "".join(
            (
                f"<div><b>{_text(os.path.basename(self.artifacts_path))}</b></div>",
                _table((), lines),
                _table(("program", "PEs", "functions", "data"), programs),
                _table(("exported", "type"), symbols) if symbols else "",
                f"<pre>{_text(self.messages)}</pre>" if self.messages else "",
            )
        )


def _text(value):
    return html.escape(str(value))


def _table(head, rows):
    first = "".join(f"<th>{_text(word)}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{'<thead><tr>' + first + '</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
