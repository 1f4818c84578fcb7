"""Milliseconds from `import numpy` to the end of the first launch: the packages, load, run, launch. Median of nine processes."""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "memcpy-walkthrough"
PROCESS = """
import sys, time
import numpy
start = time.perf_counter()
from cerebras.sdk.runtime.sdkruntimepybind import SdkRuntime
runner = SdkRuntime(sys.argv[1])
runner.load()
runner.run()
runner.launch("axpy", numpy.float32(2.0), nonblock=False)
ended = time.perf_counter()
runner.stop()
print((ended - start) * 1e3)
"""

with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "out"
    compiled = ["cslc", "layout.csl", "--fabric-dims=8,3", "--fabric-offsets=4,1", "--params=n:16", "-o", str(out), "--memcpy"]
    subprocess.run(compiled, cwd=EXAMPLE, check=True)
    def once():
        return float(subprocess.check_output(["cs_python", "-c", PROCESS, str(out)], cwd=folder))
    value = statistics.median(once() for _ in range(9))
name, mark = "import, load and first launch beyond numpy's import", 60
if "--json" in sys.argv:
    print(json.dumps({"name": name, "value": value, "unit": "ms", "mark": mark, "native_steps": None}))
else:
    print(f"{name}: {value:.1f} ms (mark {mark})")
