#!/usr/bin/env cs_python
"""Copies x and y to the PE, calls axpy twice, copies y back."""
import argparse
import json

import numpy as np

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
x = np.linspace(-1.0, 1.0, n, dtype=np.float32)
y = np.arange(n, dtype=np.float32)
result = np.zeros(n, dtype=np.float32)
calls = np.zeros(1, dtype=np.int32)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
x_id, y_id, calls_id = (runner.get_id(name) for name in ("x", "y", "calls"))
runner.load()
runner.run()
runner.memcpy_h2d(x_id, x, 0, 0, 1, 1, n, **COPY)
runner.memcpy_h2d(y_id, y, 0, 0, 1, 1, n, **COPY)
runner.launch("axpy", np.float32(2.5), nonblock=False)
runner.launch("axpy", np.float32(-0.5), nonblock=False)
runner.memcpy_d2h(result, y_id, 0, 0, 1, 1, n, **COPY)
runner.memcpy_d2h(calls, calls_id, 0, 0, 1, 1, 1, **COPY)
runner.stop()

np.testing.assert_allclose(result, y + np.float32(2.0) * x, rtol=1e-6, atol=1e-6)
np.testing.assert_array_equal(calls, [2])
print("SUCCESS!")
