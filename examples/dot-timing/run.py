#!/usr/bin/env cs_python
"""Computes a dot product with a loop and with vector operations, and compares results and cycles."""
import argparse
import json

import numpy as np

from cerebras.sdk import sdk_utils
from cerebras.sdk.runtime.sdkruntimepybind import MemcpyDataType, MemcpyOrder, SdkRuntime

parser = argparse.ArgumentParser()
parser.add_argument("--name", required=True, help="output folder of cslc")
parser.add_argument("--cmaddr", help="IP:port of a system; none here")
args = parser.parse_args()

with open(f"{args.name}/out.json", encoding="utf-8") as file:
    n = int(json.load(file)["params"]["n"])

COPY = {
    "streaming": False,
    "order": MemcpyOrder.ROW_MAJOR,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
    "nonblock": False,
}
rng = np.random.default_rng(11)
a, b = rng.uniform(-1, 1, (2, n)).astype(np.float32)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
runner.load()
runner.run()
runner.memcpy_h2d(runner.get_id("a"), a, 0, 0, 1, 1, n, **COPY)
runner.memcpy_h2d(runner.get_id("b"), b, 0, 0, 1, 1, n, **COPY)

cycles = {}
for function in ("dot_loop", "dot_dsd"):
    result = np.zeros(1, dtype=np.float32)
    times = np.zeros(3, dtype=np.uint32)
    runner.launch(function, nonblock=False)
    runner.memcpy_d2h(result, runner.get_id("result"), 0, 0, 1, 1, 1, **COPY)
    runner.memcpy_d2h(times, runner.get_id("times"), 0, 0, 1, 1, 3, **COPY)
    np.testing.assert_allclose(result, [a @ b], rtol=1e-4, atol=1e-4)
    cycles[function] = int(sdk_utils.calculate_cycles(times))
    print(f"{function}: {cycles[function]} cycles for {n} elements")
runner.stop()

assert 0 < cycles["dot_dsd"] < cycles["dot_loop"]
print("SUCCESS!")
