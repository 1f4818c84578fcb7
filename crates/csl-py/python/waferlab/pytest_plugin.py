"""The fixture `csl` of pytest: compiles and runs CSL programs in a test, on each chip.

    def test_axpy(csl):
        artifact = csl.compile("layout.csl", params={"n": 16}, fabric_dims=(8, 3), fabric_offsets=(4, 1), memcpy=True)
        with csl.run(artifact) as runner:
            runner.launch("axpy", np.float32(2.5))

A test that has the fixture runs once for each chip: those of the mark `csl_arch`, else those of the option --csl-arch, else
both. Everything that a test writes goes into its own temporary folder, so that tests run side by side (pytest-xdist). The
report of a test that fails has the end of each run's `sim.log`; faults and deadlocks come as SimulationError with the report
of the machine as its text. pytest finds the plug-in by itself where Waferlab is installed; it loads the rest of Waferlab in
the first test that has the fixture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from waferlab.artifact import Artifact
    from waferlab.runtime import SdkRuntime

CHIPS = ("wse2", "wse3")
LOG_LINES = 40
"""The last lines of a log that the report of a failed test shows."""

_FIXTURE = "csl"
_MARK = "csl_arch"


class Csl:
    """What the fixture `csl` gives a test: one chip, and a folder for what is compiled and run."""

    def __init__(self, arch: str, source_folder: Path, folder: Path) -> None:
        self.arch = arch
        """The chip, "wse2" or "wse3"."""
        self.folder = folder
        """The folder for compiled programs and runs, the test's own."""
        self.runs: list[SdkRuntime] = []
        """The runs so far."""
        self._source_folder = source_folder
        self._compiled = 0

    def compile(self, source: str | os.PathLike[str], **options: Any) -> Artifact:
        """Compiles the program for this chip; `source` is relative to the folder of the test's file. The options are those
        of waferlab.compile(); `output` and `arch` have values of their own. Raises CompileError."""
        from waferlab.compiler import compile

        self._compiled += 1
        words = {"arch": self.arch, "output": self.folder / f"out-{self._compiled}", **options}
        return compile(self._source_folder / source, **words)

    def run(self, artifact: str | os.PathLike[str], **options: Any) -> SdkRuntime:
        """A run of the program, to be used in a `with` statement. The options are those of SdkRuntime; its log and statistics
        go to a folder of the run's own."""
        from waferlab.runtime import SdkRuntime

        words = {"output_folder": self.folder / f"run-{len(self.runs) + 1}", **options}
        self.runs.append(SdkRuntime(artifact, **words))
        return self.runs[-1]

    def logs(self) -> list[tuple[str, str]]:
        """The last lines of the log of each run, with the log's path."""
        files = [Path(run.output_folder) / "sim.log" for run in self.runs]
        return [(str(file), _tail(file)) for file in files if file.is_file()]


def _tail(file):
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    left_out = [f"({len(lines) - LOG_LINES} lines before)"] if len(lines) > LOG_LINES else []
    return "\n".join([*left_out, *lines[-LOG_LINES:]])


@pytest.fixture
def csl(request: pytest.FixtureRequest, tmp_path: Path) -> Csl:
    """Compiles and runs CSL programs on one chip; the test runs once for each chip."""
    return Csl(request.param, Path(request.node.path).parent, tmp_path)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("waferlab").addoption(
        "--csl-arch", action="append", choices=CHIPS, help="run tests with the fixture csl for this chip; may be repeated [default: all]"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_MARK}(*chips): the chips that a test with the fixture csl runs for: wse2, wse3")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if _FIXTURE not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker(_MARK)
    asked = metafunc.config.getoption("--csl-arch")
    chips = mark.args if mark else CHIPS
    unknown = [chip for chip in chips if chip not in CHIPS]
    if unknown:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {_MARK} takes {', '.join(CHIPS)}, not {unknown[0]!r}")
    metafunc.parametrize(_FIXTURE, [chip for chip in chips if not asked or chip in asked], indirect=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    outcome = yield
    report = outcome.get_result()
    runs = getattr(item, "funcargs", {}).get(_FIXTURE)
    if report.failed and isinstance(runs, Csl):
        report.sections.extend((f"sim.log of {path}", text) for path, text in runs.logs())
