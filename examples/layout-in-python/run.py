"""Evaluates a polynomial: one PE for each coefficient, in a row that this script lays out."""
import argparse

import numpy as np

from cerebras.geometry.geometry import IntVector
from cerebras.sdk.runtime.sdkruntimepybind import (
    Edge,
    Route,
    RoutingPosition,
    SdkLayout,
    SdkRuntime,
    SdkTarget,
    get_platform,
)

parser = argparse.ArgumentParser()
parser.add_argument("--arch", choices=["wse2", "wse3"], default="wse3")
args = parser.parse_args()

coefficients = np.array([0.5, -2.0, 0.0, 3.0, 1.0], dtype=np.float32)
x = np.linspace(-2.0, 2.0, 33, dtype=np.float32)
count = len(coefficients)
wavelets = 2 * len(x)

platform = get_platform(target=SdkTarget.WSE3 if args.arch == "wse3" else SdkTarget.WSE2)
layout = SdkLayout(platform)
row = layout.create_code_region("horner.csl", "horner", count, 1)
row.place(2, 1)
row.set_symbol_all("coefficient", coefficients, count, 1)

# A PE sends on one color and receives on the other, its neighbour the other way round.
colors = [row.color("even"), row.color("odd")]
receive = RoutingPosition().set_input([Route.WEST]).set_output([Route.RAMP])
send = RoutingPosition().set_input([Route.RAMP]).set_output([Route.EAST])
for i in range(count):
    rx, tx = colors[i % 2], colors[(i + 1) % 2]
    row.set_param(IntVector(i, 0), "rx", rx)
    row.set_param(IntVector(i, 0), "tx", tx)
    row.paint(IntVector(i, 0), rx, [receive])
    row.paint(IntVector(i, 0), tx, [send])

entry = row.create_input_port(colors[0], Edge.LEFT, [RoutingPosition().set_output([Route.RAMP])], wavelets, "in_")
result = row.create_output_port(tx, Edge.RIGHT, [RoutingPosition().set_input([Route.RAMP])], wavelets, "out_")
to_device = layout.create_input_stream(entry)
to_host = layout.create_output_stream(result)

runtime = SdkRuntime(layout.compile("out"), platform, memcpy_required=False)
runtime.load()
runtime.run()
pairs = np.zeros((len(x), 2), dtype=np.float32)
pairs[:, 0] = x
runtime.send(to_device, pairs.ravel(), nonblock=True)
back = np.zeros_like(pairs)
runtime.receive(to_host, back.ravel(), wavelets, nonblock=False)
runtime.stop()

np.testing.assert_array_equal(back[:, 0], x)
np.testing.assert_allclose(back[:, 1], np.polyval(coefficients, x), rtol=1e-5, atol=1e-5)
print("SUCCESS!")
