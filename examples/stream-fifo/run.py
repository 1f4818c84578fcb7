#!/usr/bin/env cs_python
"""Streams numbers through a pipeline of two PEs, and checks what comes out."""
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
burst, stream_in, stream_out = (params[name] for name in ("burst", "STREAM_IN", "STREAM_OUT"))

STREAM = {"streaming": True, "order": MemcpyOrder.ROW_MAJOR, "data_type": MemcpyDataType.MEMCPY_32BIT}
sent = np.random.default_rng(11).uniform(-1, 1, burst).astype(np.float32)
received = np.zeros(burst, dtype=np.float32)

runner = SdkRuntime(args.name, cmaddr=args.cmaddr)
runner.load()
runner.run()
# memcpy does one command after another: the burst must find room in the FIFO and the queues before the second begins.
runner.memcpy_h2d(stream_in, sent, 0, 0, 1, 1, burst, nonblock=True, **STREAM)
runner.memcpy_d2h(received, stream_out, 1, 0, 1, 1, burst, nonblock=False, **STREAM)
runner.stop()

np.testing.assert_array_equal(received, sent * np.float32(3) + np.float32(0.5))
print("SUCCESS!")
