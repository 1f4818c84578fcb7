"""The platform that a program runs on. Waferlab simulates; a system address is refused where it is given."""

from __future__ import annotations

import os

import numpy as np

from waferlab import arrays
from waferlab.enums import SdkTarget
from waferlab.errors import ArgumentError

MAX_THREADS = 64
_MESSAGE_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def refuse_system(cmaddr: str | None) -> None:
    """Raises if `cmaddr` names a machine."""
    if cmaddr:
        raise ArgumentError(
            f"cmaddr={cmaddr!r} names a system, and Waferlab only simulates; leave cmaddr out or empty to run here"
        )


def check_threads(count: int, name: str) -> int:
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 1 <= count <= MAX_THREADS:
        raise ArgumentError(f"{name} must be a whole number from 1 to {MAX_THREADS}, not {count!r}")
    return int(count)


def check_level(level: str) -> str:
    if level not in _MESSAGE_LEVELS:
        raise ArgumentError(f"msg_level must be one of {', '.join(_MESSAGE_LEVELS)}, not {level!r}")
    return level


class SimfabConfig:
    """Configuration of the simulator."""

    def __init__(
        self,
        num_threads: int = 16,
        suppress_trace: bool = False,
        dump_core: bool = False,
        core_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.num_threads = check_threads(num_threads, "num_threads")
        self.suppress_trace = bool(suppress_trace)
        self.dump_core = bool(dump_core)
        self.core_path = core_path


class SdkExecutionPlatform:
    """A target to run on; made by get_platform and get_simulator. A program runs on the chip that it is compiled for; a target
    that is given and is another is told."""

    def __init__(self, config: SimfabConfig | None = None, target: SdkTarget | None = None) -> None:
        if not isinstance(config, (SimfabConfig, type(None))):
            raise TypeError(f"config must be a SimfabConfig, not {type(config).__name__}")
        self.config = config or SimfabConfig()
        self.is_target_given = target is not None
        self.target = SdkTarget.WSE3 if target is None else arrays.member("target", SdkTarget, target)

    def is_simulation(self) -> bool:
        return True

    def is_system(self) -> bool:
        return False


def get_platform(
    cmaddr: str | None = None, config: SimfabConfig | None = None, target: SdkTarget | None = None, addr: str | None = None
) -> SdkExecutionPlatform:
    """The simulator. Release 2.10 calls the first argument `addr` in the code and `cmaddr` in the manual."""
    refuse_system(cmaddr or addr)
    return SdkExecutionPlatform(config, target)


def get_simulator(config: SimfabConfig | None = None, target: SdkTarget | None = None) -> SdkExecutionPlatform:
    return SdkExecutionPlatform(config, target)


def get_system(cmaddr: str | None, config: SimfabConfig | None = None, target: SdkTarget | None = None) -> None:
    refuse_system(cmaddr or "(none)")


class SdkCompileArtifacts:
    """The output folder of a compilation."""

    def __init__(self, artifacts_path: str | os.PathLike[str]) -> None:
        self.artifacts_path = str(artifacts_path)
        self.port_maps: list[str] = []
        """The files that add_port_mapping() was given."""

    def add_port_mapping(self, path: str | os.PathLike[str]) -> SdkCompileArtifacts:
        """Names the port map that `SdkLayout.compile(save_port_map=True)` has written. The program has its streams in its own
        folder: SdkRuntime warns of a file that lists others."""
        file = arrays.path("add_port_mapping: path", path)
        if not os.path.isfile(file):
            raise ArgumentError(f"add_port_mapping: there is no file {file!r}")
        self.port_maps.append(file)
        return self
