#!/usr/bin/env cs_python
"""Runs a Jacobi iteration on a rectangle of PEs, up to the whole wafer, and checks every cell against numpy."""
import argparse
import json
import time

import numpy as np

from cerebras.sdk.runtime.sdkruntimepybind import MemcpyDataType, MemcpyOrder, SdkRuntime

parser = argparse.ArgumentParser()
parser.add_argument("--name", required=True, help="output folder of cslc")
parser.add_argument("--cmaddr", help="IP:port of a system; none here")
args = parser.parse_args()

with open(f"{args.name}/out.json", encoding="utf-8") as file:
    params = {name: int(value) for name, value in json.load(file)["params"].items()}
width, height, cells, steps = (params[name] for name in ("width", "height", "cells", "steps"))

start = time.perf_counter()
runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
symbol = runner.get_id("column")
runner.load()
runner.run()
loaded = time.perf_counter()
runner.launch("run", nonblock=False)
result = np.zeros(height * width * cells, dtype=np.float32)
runner.memcpy_d2h(
    result, symbol, 0, 0, width, height, cells, streaming=False, order=MemcpyOrder.ROW_MAJOR,
    data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False,
)
runner.stop()
ran = time.perf_counter()

y, x, cell = np.ogrid[:height, :width, :cells]
grid = (np.float32(0.5) * x + np.float32(0.25) * y + cell).astype(np.float32)
padded = np.zeros((height + 2, width + 2, cells), dtype=np.float32)
for _ in range(steps):
    padded[1:-1, 1:-1] = grid
    grid = padded[1:-1, :-2] + padded[1:-1, 2:]
    grid += padded[:-2, 1:-1]
    grid += padded[2:, 1:-1]
    grid *= np.float32(0.25)
np.testing.assert_array_equal(result.reshape(height, width, cells), grid)
print(f"{width}x{height} PEs, {cells} cells each, {steps} steps: loaded in {loaded - start:.1f} s, ran in {ran - loaded:.1f} s")
print("SUCCESS!")
