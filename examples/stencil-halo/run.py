#!/usr/bin/env cs_python
"""Lets heat spread along a rod that lies over a row of PEs, and checks it against numpy."""
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
width, cells, steps = (params[name] for name in ("width", "cells", "steps"))

COPY = {
    "streaming": False,
    "order": MemcpyOrder.ROW_MAJOR,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
    "nonblock": False,
}
# Each PE's piece with one place on either side for its neighbours' end points.
rod = np.random.default_rng(3).uniform(0, 1, width * cells).astype(np.float32)
pieces = np.zeros((width, cells + 2), dtype=np.float32)
pieces[:, 1:-1] = rod.reshape(width, cells)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
symbol = runner.get_id("rod")
runner.load()
runner.run()
runner.memcpy_h2d(symbol, pieces.ravel(), 0, 0, width, 1, cells + 2, **COPY)
runner.launch("run", nonblock=False)
runner.memcpy_d2h(pieces.ravel(), symbol, 0, 0, width, 1, cells + 2, **COPY)
runner.stop()

padded = np.zeros(width * cells + 2, dtype=np.float32)
for _ in range(steps):
    padded[1:-1] = rod
    rod = rod + np.float32(0.25) * (padded[:-2] + padded[2:] - 2 * rod)
np.testing.assert_allclose(pieces[:, 1:-1].ravel(), rod, rtol=1e-5, atol=1e-6)
print("SUCCESS!")
