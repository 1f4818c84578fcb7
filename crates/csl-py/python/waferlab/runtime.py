"""SdkRuntime: load a compiled program, run it on the simulated wafer, move data, call functions.

Arguments are checked here and in the extension before anything moves. The extension does the work, without the
interpreter lock, and looks for Ctrl-C now and then.
"""

from __future__ import annotations

import json
import logging
import operator
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from waferlab import _waferlab, arrays, debug_util, early, signals
from waferlab.cycles import Cycles
from waferlab.enums import MemcpyDataType, MemcpyOrder
from waferlab.errors import ArgumentError, SdkError, SimulationError
from waferlab.platform import SdkCompileArtifacts, SdkExecutionPlatform, check_level, check_threads, refuse_system
from waferlab.warning import place, unknown_words, warn, warn_at

logger = logging.getLogger("waferlab")

STATISTICS = "sim_stats.json"
TRACES = "simfab_traces"
# The environment variable with which the smoke tests of the vendor's guide ask for no traces.
SUPPRESS_TRACES = "CSL_SUPPRESS_SIMFAB_TRACE"
DEFAULT_THREADS = 5
# The options, with defaults, of the constructors of both classes of this name: the runtime and the appliance client.
# memcpy_required and the last five change nothing here: a program says itself whether it has memcpy, and the others concern a
# cluster or a check of versions.
OPTIONS = {
    "cmaddr": None,
    "suppress_simfab_trace": False,
    "simfab_numthreads": DEFAULT_THREADS,
    "msg_level": "WARNING",
    "memcpy_required": True,
    "check": None,
    "untimed": None,
    "simulator": True,
    "disable_version_check": False,
    "mgmt_namespace": None,
    "resource_cpu": None,
    "resource_mem": None,
}
_COPY_OPTIONS = {
    "streaming": False,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
    "order": MemcpyOrder.ROW_MAJOR,
    "nonblock": False,
}


# The stride of all copies but `memcpy_strided`.
_NO_STRIDE = {"step_x": 1, "step_y": 1}
_WIDTHS = {
    MemcpyDataType.MEMCPY_32BIT: _waferlab.Width.BITS32,
    MemcpyDataType.MEMCPY_16BIT: _waferlab.Width.BITS16,
}


class Task:
    """A handle to a request of SdkRuntime."""

    def __init__(self, runtime: SdkRuntime, number: int | None) -> None:
        self._runtime = runtime
        self._number = number

    def __repr__(self) -> str:
        return f"<Task {self._number}>"


class _OneAtATime:
    """The machine, as the threads of a host share it: their calls go one after another."""

    def __init__(self, machine: _waferlab.Machine) -> None:
        self._machine, self.lock = machine, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._machine, name)

        def call(*args: Any) -> Any:
            with self.lock:
                return method(*args)

        return call


class SdkRuntime:
    """Runs one compiled program. Several can live side by side in one process.

    `bindir` (or `artifacts`) is the output folder of cslc, or what waferlab.compile() returned. The files of the run
    (`sim.log`, `sim_stats.json`, core files) go to `output_folder`, which is made if it is not there; left out, to the folder in
    the environment variable WAFERLAB_OUTPUT_FOLDER, else to the working directory. With `prints`, lines that PEs print with
    <simprint> also go to sys.stdout as they come, each with its cycle; left out, they do in a notebook alone. With `check`, PEs
    look for mistakes of their programs ("stop" ends the run at the first); with `untimed`, the run has no clock, is several times
    as fast, its cycles mean nothing, and a program that reads the time stops, or with "own-time" gets a number that only grows.
    The other keywords are those of the vendor's class.

    In a `with` statement the program is loaded, started, and stopped at the end; where the block raises, the run is left as it
    is, and its log and statistics are written.

    Raises SdkError where the folder holds no compiled program, ArgumentError for an option that cannot be.

    >>> with SdkRuntime("out") as runner:
    ...     runner.launch("compute")
    """

    def __init__(
        self,
        bindir: str | os.PathLike[str] | SdkCompileArtifacts | None = None,
        platform: SdkExecutionPlatform | None = None,
        *,
        artifacts: str | os.PathLike[str] | SdkCompileArtifacts | None = None,
        output_folder: str | os.PathLike[str] | None = None,
        prints: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if (bindir is None) == (artifacts is None):
            raise TypeError("SdkRuntime() takes one of bindir and artifacts")
        bindir = artifacts if bindir is None else bindir
        port_maps = bindir.port_maps if isinstance(bindir, SdkCompileArtifacts) else []
        if isinstance(bindir, SdkCompileArtifacts):
            bindir = bindir.artifacts_path
        if platform is not None and not isinstance(platform, SdkExecutionPlatform):
            raise TypeError(f"platform must come from get_platform() or get_simulator(), not {type(platform).__name__}")
        options = _constructor_options(kwargs)
        threads = platform.config.num_threads if platform else options["simfab_numthreads"]
        logger.setLevel(options["msg_level"])
        signals.watch()
        if not isinstance(bindir, (str, os.PathLike)):
            raise TypeError(f"SdkRuntime: bindir must be a path, not {arrays.shown(bindir)}")
        prints = _is_notebook() if prints is None else arrays.flag("SdkRuntime: prints", prints)
        if output_folder is not None:
            output_folder = arrays.path("SdkRuntime: output_folder", output_folder)
        check, untimed = _word(options["check"]), _word(options["untimed"])
        try:
            machine = _waferlab.Machine(os.fspath(bindir), threads, output_folder, prints=prints, check=check, untimed=untimed)
        except SdkError:
            raise
        except ValueError as error:
            raise ArgumentError(f"SdkRuntime: {error}") from None
        self._bindir, self._machine = bindir, _OneAtATime(machine)
        if platform is not None and platform.is_target_given:
            _check_target(bindir, platform.target)
        for file in port_maps:
            _check_port_map(file, self._machine.streams())
        self._waiting, self._files = {}, {}
        # The files of `_files`, without the tasks, which hold this object.
        self._unwritten = []
        # Names that get_id() or get_port_id() was asked for and that do not exist.
        self._unknown = []
        # The folder in which the run leaves its files: sim.log, sim_stats.json, core files.
        self._folder = os.fspath(self._machine.output_folder())
        self._is_loaded = self._is_started = self._is_stopped = False
        config = platform.config if platform else None
        self._core = (config.core_path or "out.core") if config and config.dump_core else None
        suppressed = options["suppress_simfab_trace"] or (config and config.suppress_trace)
        self._makes_traces = not suppressed and os.environ.get(SUPPRESS_TRACES, "0") in ("", "0")
        self._unfinished = weakref.finalize(self, _tell_unfinished, self._machine, self._unwritten, place())
        # A script may end by an assertion of its own, before stop().
        self._left_over = weakref.finalize(self, _tell_left_over, self._machine, place())
        if self._machine.is_checked():
            weakref.finalize(self, _tell_mistakes, self._machine)

    # Starting and stopping.

    def load(self) -> None:
        """Loads the program into the simulated machine."""
        # Before it loads: a run that was left unstopped, and that nothing but debug_util holds, gives sim.log free.
        debug_util.remember(self._bindir, self._machine)
        self._ask("load")
        self._is_loaded = True
        if self._makes_traces:
            self._make_traces()

    def _make_traces(self):
        """Makes a folder that scripts move beside their results. It stays empty: sim.log has the traces."""
        try:
            os.makedirs(os.path.join(self._folder, TRACES), exist_ok=True)
        except OSError as error:
            logger.warning("%s", error)

    def run(self) -> None:
        """Starts the machine; commands are accepted from here on."""
        self._machine.run()
        self._is_started = True

    def stop(self) -> None:
        """Waits for all requests, then stops the machine for good."""
        for task in list(self._files):
            self._write_file(task)
        try:
            self._ask("stop")
        finally:
            self._deliver()
        self._is_stopped = True
        self._unfinished.detach()
        self._write_statistics()
        if self._core is not None:
            self.dump_core(os.path.join(self._folder, self._core))

    def _write_statistics(self):
        path = os.path.join(self._folder, STATISTICS)
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(self._machine.statistics())
        except OSError as error:
            raise SdkError(f"stop: {path} cannot be written: {error.strerror}; the run itself has ended") from None

    def __enter__(self) -> SdkRuntime:
        """Loads and starts the program, where that has not been done."""
        if not self._is_loaded:
            self.load()
        if not self._is_started:
            self.run()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: object) -> Literal[False]:
        """Stops the machine, unless the block has or has raised: a run that has failed cannot be waited for."""
        if self._is_stopped:
            return False
        if kind is None:
            self.stop()
        else:
            self._unfinished.detach()
            _tell_mistakes(self._machine)
            self._left_over()
            self._machine.flush_log()
            self._write_statistics()
        return False

    @property
    def output_folder(self) -> str:
        """The absolute path of the folder with the files of the run: `sim.log`, `sim_stats.json`, core files."""
        return self._folder

    @property
    def cycles(self) -> Cycles:
        """What the clock was spent on up to now, in clock cycles: each launch from the first PE's call to the last PE's end,
        each copy, and the rest."""
        return Cycles(self._machine.cycle(), self._machine.requests())

    # Names and places.

    def get_id(self, symbol: str) -> int | None:
        """The number of an exported symbol; None where the program exports no such name."""
        return self._id("get_id", symbol)

    def get_symbol(self, symbol: str) -> int | None:
        """As get_id(): the name that the vendor's guide also has for it."""
        return self._id("get_symbol", symbol)

    def _id(self, method, symbol):
        return self._known(symbol, self._machine.get_id(arrays.text(f"{method}: symbol", symbol)))

    def _known(self, name, number):
        if number is None and name not in self._unknown:
            self._unknown.append(name)
        return number

    def _no_name(self, method):
        """The message for None in the place of a symbol, a function or a port."""
        names = ", ".join(map(repr, self._unknown))
        told = f"; get_id() or get_port_id() gave None for {names}, which the program does not have" if names else ""
        has = ", ".join([*self._machine.exports(), *(stream.name for stream in self._machine.streams())])
        return ArgumentError(f"{method}: None names nothing{told}; it has {has or 'no exported names'}")

    def coord_logical_to_physical(self, logical_coords: Sequence[int]) -> tuple[int, int]:
        """Column and row in the whole fabric of the PE at (column, row) of the program's rectangle; raises ArgumentError where it
        has none there."""
        x, y = arrays.pair("coord_logical_to_physical: logical_coords", logical_coords)
        width, height = self._machine.size()
        if x >= width or y >= height:
            raise ArgumentError(f"coord_logical_to_physical: the program's {width} x {height} PEs have none at ({x}, {y})")
        return self._machine.logical_to_physical(x, y)

    def read_symbol(self, x: int, y: int, symbol_name: str, dtype: DTypeLike = "uint8") -> np.ndarray:
        """The bytes of a symbol of one PE, exported or not, as an array of `dtype`."""
        at = arrays.whole("read_symbol: x", x), arrays.whole("read_symbol: y", y)
        name = arrays.text("read_symbol: symbol_name", symbol_name)
        return debug_util.items(name, self._machine.read_symbol(*at, name), dtype)

    # Moving data.

    def memcpy_h2d(
        self, dest: int | None, src: np.ndarray, px: int, py: int, w: int, h: int, elem_per_pe: int, *older: Any, **kwargs: Any
    ) -> Task:
        """Copies a host array into a symbol, or streams it on a color, over a rectangle of PEs."""
        rect, options = _copy_arguments("memcpy_h2d", (px, py, w, h, elem_per_pe), older, kwargs)
        return self._send("memcpy_h2d", _waferlab.Spread.EACH, dest, src, rect, options)

    def memcpy_h2d_stride(
        self,
        dest: int | None,
        src: np.ndarray,
        px: int,
        py: int,
        w: int,
        h: int,
        elem_per_pe: int,
        row_stride: int,
        col_stride: int,
        **kwargs: Any,
    ) -> Task:
        """As memcpy_h2d, to every row_stride-th column and col_stride-th row of the rectangle only."""
        rect, options = _copy_arguments("memcpy_h2d_stride", (px, py, w, h, elem_per_pe), (), kwargs)
        options["step_x"], options["step_y"] = arrays.whole("row_stride", row_stride), arrays.whole("col_stride", col_stride)
        return self._send("memcpy_h2d_stride", _waferlab.Spread.EACH, dest, src, rect, options)

    def memcpy_h2d_rowbcast(
        self, dest: int | None, src: np.ndarray, px: int, py: int, w: int, h: int, elem_per_pe: int, **kwargs: Any
    ) -> Task:
        """Copies one column of data, A[h][elem_per_pe], along the rows of the rectangle."""
        rect, options = _copy_arguments("memcpy_h2d_rowbcast", (px, py, w, h, elem_per_pe), (), kwargs)
        return self._send("memcpy_h2d_rowbcast", _waferlab.Spread.ROWS, dest, src, rect, options)

    def memcpy_h2d_colbcast(
        self, dest: int | None, src: np.ndarray, px: int, py: int, w: int, h: int, elem_per_pe: int, **kwargs: Any
    ) -> Task:
        """Copies one row of data, A[w][elem_per_pe], down the columns of the rectangle."""
        rect, options = _copy_arguments("memcpy_h2d_colbcast", (px, py, w, h, elem_per_pe), (), kwargs)
        return self._send("memcpy_h2d_colbcast", _waferlab.Spread.COLUMNS, dest, src, rect, options)

    def memcpy_d2h(
        self, dest: np.ndarray, src: int | None, px: int, py: int, w: int, h: int, elem_per_pe: int, *older: Any, **kwargs: Any
    ) -> Task:
        """Copies a symbol, or the wavelets that leave on a color, from a rectangle of PEs into a host array, in place."""
        rect, options = _copy_arguments("memcpy_d2h", (px, py, w, h, elem_per_pe), older, kwargs)
        references = sys.getrefcount(dest)
        if arrays.is_unheld(dest, references):
            warn(
                "memcpy_d2h: nothing else holds the array that receives the result, a copy as flatten(), astype() or "
                "copy() make it: give a variable, or a view of it as ravel() makes one"
            )
        array = arrays.words_of("memcpy_d2h", arrays.destination("memcpy_d2h", dest))
        with self._machine.lock:
            number = self._ask("memcpy_d2h", self._endpoint("memcpy_d2h", src), array.size, _copy(rect, options))
            self._waiting[number] = array
        if options["nonblock"]:
            early.look("memcpy_d2h", 0)
        return self._finish(number, options["nonblock"])

    def _send(self, method, spread, dest, src, rect, options):
        array = arrays.words_of(method, arrays.source(method, src))
        copy = _copy(rect, options, spread)
        # The width of the items means nothing to a stream.
        is_narrow = options["data_type"] == MemcpyDataType.MEMCPY_16BIT and not options["streaming"]
        if is_narrow and array.dtype == np.float32:
            if np.any(arrays.memory(array).view(np.uint32) >> 16):
                warn(
                    f"{method}: MEMCPY_16BIT takes the low half of each item, and these are float32, whose values stand in "
                    "the high half: give src.astype(np.float16).view(np.uint16).astype(np.uint32)"
                )
        number = self._ask("memcpy_h2d", self._endpoint(method, dest), arrays.memory(array).tobytes(), copy)
        return self._finish(number, options["nonblock"])

    def _endpoint(self, method, value):
        """The number of a symbol or of a color."""
        if value is None:
            raise self._no_name(method)
        try:
            number = operator.index(value)
        except TypeError:
            number = None
        if number is None or isinstance(value, (bool, np.bool_)):
            raise ArgumentError(f"{method}: {arrays.shown(value)} is neither a symbol's number, which get_id() returns, nor a color's")
        return arrays.whole(f"{method}: a symbol's or color's number", number)

    # Calling functions.

    def launch(self, symbol: str | int | None, *args: bool | float | np.generic | np.ndarray, **kwargs: Any) -> Task:
        """Calls an exported function, by its name or its number, on every PE; its arguments are checked against their types."""
        nonblock = _only_nonblock("launch", kwargs)
        function = self._function("launch", symbol)
        return self._finish(self._ask("launch", function, [_typed(arg) for arg in args]), nonblock)

    def call(self, symbol: str | int | None, args: Sequence[int] | np.ndarray = (), *older: Any, **kwargs: Any) -> Task:
        """Calls an exported function with arguments given as 32-bit words."""
        nonblock = _only_nonblock("call", {"nonblock": older[0]} if older else kwargs)
        function = self._function("call", symbol)
        words = arrays.memory(arrays.words_of("call", arrays.source("call", args, "args"))).view(np.uint32).tolist()
        return self._finish(self._ask("call", function, words), nonblock)

    def _function(self, method, symbol):
        """The name of a function that is given by its name or by its number."""
        if symbol is None:
            raise self._no_name(method)
        if isinstance(symbol, str):
            return symbol
        if isinstance(symbol, (bool, np.bool_)) or not isinstance(symbol, (int, np.integer)):
            wanted = "must be a function's name, or its number, which get_id() returns"
            raise ArgumentError(f"{method}: symbol {wanted}, not {arrays.shown(symbol)}")
        return self._machine.function_name(arrays.whole(f"{method}: a function's number", symbol))

    def memcpy_launch(self, color: int, params: np.ndarray, nonblock: bool = False) -> Task:
        """The call of SDK 0.6: sends `params` to the launch color of every PE, where a task of the program's own takes
        them apart. It blocks in any case: what follows must find the function at its end, as it does behind a launch
        that the command stream carries."""
        words = arrays.words_of("memcpy_launch", arrays.source("memcpy_launch", params, "params")).ravel()
        width, height = self._machine.size()
        self._ask("rest")
        task = self.memcpy_h2d(color, np.tile(words, width * height), 0, 0, width, height, words.size, streaming=True)
        self._ask("rest")
        self._deliver()
        return task

    # Waiting.

    def task_wait(self, task_handle: Task) -> None:
        """Runs the machine until the task is done."""
        if task_handle in self._files:
            self._write_file(task_handle)
        elif self._number(task_handle) is not None:
            self._ask("wait", self._number(task_handle))
        self._deliver()

    def is_task_done(self, task_handle: Task) -> bool:
        """Whether the task is done. The simulated machine moves on while it is asked."""
        number = self._number(task_handle)
        if number is None:
            return task_handle not in self._files
        done = self._ask("is_done", number)
        self._deliver()
        return done

    # Streams of SdkLayout programs.

    def get_port_id(self, port_name: str) -> int | None:
        """The number of a stream; None where the program has none of this name."""
        return self._known(port_name, self._machine.port(arrays.text("get_port_id: port_name", port_name)))

    def send(self, port: int | None, src: np.ndarray, n_wavelets: int | None = None, **kwargs: Any) -> Task:
        """Sends 32-bit words into a stream; without `n_wavelets`, all of an array with items of 32 bits."""
        nonblock = _only_nonblock("send", kwargs)
        array = arrays.source("send", src)
        count = arrays.words_of("send", array).size if n_wavelets is None else arrays.words_in("send", array, n_wavelets)
        data = arrays.memory(array).tobytes()[: count * arrays.WORD_BYTES]
        return self._finish(self._ask("send", self._port("send", port), data), nonblock)

    def receive(self, port: int | None, dest: np.ndarray, n_wavelets: int, **kwargs: Any) -> Task:
        """Receives 32-bit words of a stream into a host array, in place."""
        nonblock = _only_nonblock("receive", kwargs)
        array = arrays.destination("receive", dest)
        with self._machine.lock:
            number = self._ask("receive", self._port("receive", port), arrays.words_in("receive", array, n_wavelets))
            self._waiting[number] = array
        if nonblock:
            early.look("receive", 1)
        return self._finish(number, nonblock)

    def receive_tofile(self, port: int | None, outfile: str | os.PathLike[str], **kwargs: Any) -> Task:
        """Writes whatever comes on a stream, until nothing in the machine can move any more, to a file of 32-bit words.
        Without blocking, that is done by task_wait() or stop()."""
        nonblock = _only_nonblock("receive_tofile", kwargs)
        task = Task(self, None)
        self._files[task] = (self._port("receive_tofile", port), arrays.path("receive_tofile: outfile", outfile))
        self._unwritten.append(self._files[task][1])
        if not nonblock:
            self._write_file(task)
        return task

    def _write_file(self, task):
        port, outfile = self._files.pop(task)
        self._unwritten.remove(outfile)
        data = self._ask("receive_all", port)
        try:
            with open(outfile, "wb") as file:
                file.write(data)
        except OSError as error:
            raise SdkError(f"receive_tofile: {outfile!r} cannot be written: {error.strerror}") from None

    def report_port_infos(self) -> None:
        """Prints name, color and place of every stream."""
        for number, stream in enumerate(self._machine.streams()):
            flow = "input" if stream.flow == _waferlab.Flow.IN else "output"
            print(f"port {number}: {stream.name} ({flow}), color {stream.color}, PE ({stream.x}, {stream.y})")

    def _port(self, method, port):
        number = self.get_port_id(port) if isinstance(port, str) else port
        if number is None:
            raise self._no_name(method)
        return arrays.whole("port", number)

    # Looking into the run.

    def dump_core(self, corefile: str | os.PathLike[str]) -> None:
        """Writes the memory of all PEs to a core file, for csdb and debug_util."""
        self._machine.dump_core(arrays.path("dump_core: corefile", corefile))

    dump_elf_core = dump_core

    def _ask(self, what, *arguments):
        """Makes a request to the machine, and shows its warnings."""
        try:
            return getattr(self._machine, what)(*arguments)
        except (SimulationError, KeyboardInterrupt, SystemExit):
            # The run is over, and the error says so.
            self._unfinished.detach()
            raise
        finally:
            for text in self._machine.take_warnings():
                warn(text)

    def _finish(self, number, nonblock):
        task = Task(self, number)
        if not nonblock:
            self.task_wait(task)
        return task

    def _number(self, task):
        if not isinstance(task, Task) or task._runtime is not self:
            raise ArgumentError(f"task_handle must be what a method of this SdkRuntime has returned, not {arrays.shown(task)}")
        return task._number

    def _deliver(self):
        """Writes arrived words into the arrays that wait for them."""
        with self._machine.lock:
            for number, data in self._machine.take_arrived():
                arrays.store(self._waiting.pop(number), data)
            self._machine.flush_log()


def _tell_mistakes(machine):
    """Warns of what checked PEs have found, unless that has been told."""
    try:
        mistakes = machine.take_mistakes()
    except RuntimeError:
        # Another thread has the machine, and ends its run with a report.
        return
    for text in mistakes:
        warn(text)


def _tell_left_over(machine, where):
    """Warns, as stop() would, of what the run has left, such as wavelets that no operation takes: where a script ends
    without stop() and nothing can move any more. Nothing is left of a run that was stopped."""
    if signals.is_terminated() or not machine.lock.acquire(blocking=False):
        # Another thread is within a request, and may stay there for good.
        return
    try:
        left = machine.take_left_over()
    finally:
        machine.lock.release()
    for text in left:
        warn_at(where, text)


# The most requests that are named.
_NAMED = 5
_FORMS = {"launch": "launch of {}", "h2d": "copy to {}", "d2h": "copy from {}"}


def _tell_unfinished(machine, unwritten, where):
    """Warns of requests that had not ended when the script did, or dropped the runtime, without stop()."""
    if hasattr(sys, "last_value") or signals.is_terminated():
        # The script has ended by an error, which is told.
        return
    if not machine.lock.acquire(blocking=False):
        # Another thread is within a request, and may stay there for good.
        return
    try:
        names = [_FORMS[request.kind].format(request.name) for request in machine.requests() if request.last is None]
    finally:
        machine.lock.release()
    names += [f"receive_tofile to {outfile!r}" for outfile in unwritten]
    if names:
        rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        warn_at(
            where,
            f"SdkRuntime.stop() was not called, and requests had not ended: {', '.join(names[:_NAMED])}{rest}; stop() waits "
            "for all of them, task_wait() for one",
        )


def _check_target(bindir, target):
    """Warns of a program that is compiled for another chip than the platform's."""
    arch = json.loads(_waferlab.inspect(os.fspath(bindir), json=True))["arch"]
    if target.name.lower() != arch:
        warn(f"SdkRuntime: the platform's target is {target.name}, and the program is compiled for {arch}: it runs on that chip")


def _check_port_map(file, streams):
    """Warns of a port map that is not that of the program."""
    flows = ["in" if stream.flow == _waferlab.Flow.IN else "out" for stream in streams]
    own = [dict(name=s.name, direction=flow, x=s.x, y=s.y, color=s.color) for s, flow in zip(streams, flows)]
    try:
        with open(file, encoding="utf-8") as opened:
            given = json.load(opened)
    except ValueError:
        given = None
    if given != own:
        names = ", ".join(stream.name for stream in streams) or "none"
        warn(f"add_port_mapping: {file!r} is not the port map of this program, whose own streams are used: {names}")


def _is_notebook():
    """Whether the program is cells of a Jupyter kernel: their standard output is the cell."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _copy(rect, options, spread=_waferlab.Spread.EACH):
    """The options of a copy, in the form that the extension takes."""
    px, py, w, h, elem_per_pe = rect
    return _waferlab.Copy(
        _waferlab.Rect(px, py, w, h, step_x=options["step_x"], step_y=options["step_y"]),
        elem_per_pe,
        mode=_waferlab.Mode.STREAM if options["streaming"] else _waferlab.Mode.COPY,
        width=_WIDTHS[options["data_type"]],
        order=getattr(_waferlab.Order, options["order"].name),
        spread=spread,
    )


def _word(value: bool | str | None) -> str | None:
    """The word of an option that is True, False or a word of its own, `check` or `untimed`; None leaves it to the environment."""
    return None if value is None else {"True": "on", "False": "off"}.get(str(value), str(value))


def _constructor_options(kwargs):
    """The documented keyword arguments, those given and the defaults of the others."""
    unknown_words("SdkRuntime", kwargs, OPTIONS)
    options = {**OPTIONS, **kwargs}
    refuse_system(options["cmaddr"])
    options["suppress_simfab_trace"] = arrays.flag("SdkRuntime: suppress_simfab_trace", options["suppress_simfab_trace"])
    options["simfab_numthreads"] = check_threads(options["simfab_numthreads"], "simfab_numthreads")
    check_level(options["msg_level"])
    return options


def _copy_arguments(method, rect, older, kwargs):
    """The rectangle and the options of a copy. `older` holds the positional form of SDK 0.6: there `px` is really
    `streaming`, and order and nonblock follow the element count."""
    options = dict(_COPY_OPTIONS)
    if isinstance(rect[0], bool):
        if len(older) < 2:
            raise TypeError(f"{method}() takes streaming, px, py, w, h, elem_per_pe, order, nonblock in this order")
        options.update(streaming=rect[0], order=older[1], nonblock=older[2] if len(older) > 2 else False)
        rect = (*rect[1:], older[0])
    elif older:
        raise TypeError(f"{method}() takes streaming, data_type, order and nonblock by keyword")
    unknown_words(method, kwargs, options)
    options.update(kwargs)
    options["data_type"] = arrays.member(f"{method}: data_type", MemcpyDataType, options["data_type"])
    options["order"] = arrays.member(f"{method}: order", MemcpyOrder, options["order"])
    for name in ("streaming", "nonblock"):
        options[name] = arrays.flag(f"{method}: {name}", options[name])
    options.update(_NO_STRIDE)
    names = ("px", "py", "w", "h", "elem_per_pe")
    return tuple(arrays.whole(name, value) for name, value in zip(names, rect)), options


def _only_nonblock(method, kwargs):
    unknown_words(method, kwargs, ["nonblock"])
    return arrays.flag(f"{method}: nonblock", kwargs.get("nonblock", False))


def _typed(arg):
    """An argument as the extension takes it: with its type, where it has one of its own."""
    if isinstance(arg, (bool, np.bool_)):
        return _waferlab.Argument.bool(bool(arg))
    if isinstance(arg, np.ma.MaskedArray):
        raise ArgumentError("launch: a masked array is no argument")
    if isinstance(arg, np.ndarray) and arg.size == 1:
        arg = arg.reshape(-1)[0]
    if isinstance(arg, np.integer):
        return _waferlab.Argument.typed_int(arg.dtype.name, int(arg))
    if isinstance(arg, int):
        return _waferlab.Argument.int(arg)
    # A float64 is a Python float, which is what numpy turns one into.
    if isinstance(arg, np.floating) and type(arg) is not np.float64:
        return _waferlab.Argument.typed_float(arg.dtype.name, float(arg))
    if isinstance(arg, float):
        return _waferlab.Argument.float(float(arg))
    raise ArgumentError(f"launch: an argument must be a number, not {arrays.shown(arg)}")
