#!/usr/bin/env cs_python
"""Sums a vector of every PE of a row on the first of them, and checks the sum."""
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
width, count = params["width"], params["count"]

COPY = {
    "streaming": False,
    "order": MemcpyOrder.ROW_MAJOR,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
    "nonblock": False,
}
vectors = np.random.default_rng(5).integers(-100, 100, (width, count)).astype(np.float32)
total = np.zeros(count, dtype=np.float32)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
vector_symbol, total_symbol = runner.get_id("vector"), runner.get_id("total")
runner.load()
runner.run()
runner.memcpy_h2d(vector_symbol, vectors.ravel(), 0, 0, width, 1, count, **COPY)
runner.launch("reduce", nonblock=False)
runner.memcpy_d2h(total, total_symbol, 0, 0, 1, 1, count, **COPY)
runner.stop()

# Small whole numbers: exact in every order of addition.
np.testing.assert_array_equal(total, vectors.sum(axis=0))
print("SUCCESS!")
