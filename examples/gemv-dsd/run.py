#!/usr/bin/env cs_python
"""Gives every PE a matrix and a vector of its own, and checks every product."""
import argparse
import json

import numpy as np

from cerebras.sdk.runtime.sdkruntimepybind import MemcpyDataType, MemcpyOrder, SdkRuntime

parser = argparse.ArgumentParser()
parser.add_argument("--name", required=True, help="output folder of cslc")
parser.add_argument("--cmaddr", help="IP:port of a system; none here")
args = parser.parse_args()

with open(f"{args.name}/out.json", encoding="utf-8") as file:
    params = {name: int(value) for name, value in json.load(file)["params"].items()}
width, height, rows, columns = (params[name] for name in ("width", "height", "rows", "columns"))

COPY = {"streaming": False, "data_type": MemcpyDataType.MEMCPY_32BIT, "nonblock": False}
rng = np.random.default_rng(7)
A = rng.uniform(-1, 1, (height, width, rows, columns)).astype(np.float32)
x = rng.uniform(-1, 1, (height, width, columns)).astype(np.float32)
y = np.zeros((height, width, rows), dtype=np.float32)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
symbols = {name: runner.get_id(name) for name in ("A", "x", "y")}
runner.load()
runner.run()
runner.memcpy_h2d(
    symbols["A"], A.ravel(), 0, 0, width, height, rows * columns, order=MemcpyOrder.ROW_MAJOR, **COPY
)
# The same in the other order: the row of the PE is fastest, the element slowest.
runner.memcpy_h2d(symbols["x"], x.ravel(order="F"), 0, 0, width, height, columns, order=MemcpyOrder.COL_MAJOR, **COPY)
runner.launch("gemv", nonblock=False)
runner.memcpy_d2h(y.ravel(), symbols["y"], 0, 0, width, height, rows, order=MemcpyOrder.ROW_MAJOR, **COPY)
runner.stop()

np.testing.assert_allclose(y, np.einsum("hwrc,hwc->hwr", A, x), rtol=1e-5, atol=1e-5)
print("SUCCESS!")
