"""SdkLayout: what crosses from Python, and what is refused on the way."""
import os
import re
import tempfile
import unittest
import warnings

import numpy as np

from waferlab.errors import ArgumentError, CompileError, SdkError

from cerebras.geometry.geometry import IntRectangle, IntVector
from cerebras.sdk.runtime import sdkruntimepybind as sdk

ECHO = """
param rx: u16;
param tx: u16;
param turns: u16;
const in_q = @get_input_queue(2);
const out_q = @get_output_queue(3);
const in = @get_dsd(fabin_dsd, .{ .extent = 0x7fff, .fabric_color = @get_color(rx), .input_queue = in_q });
const out = @get_dsd(fabout_dsd, .{ .extent = 0x7fff, .fabric_color = @get_color(tx), .output_queue = out_q });
export var told = turns;
task main() void { @mov32(out, in, .{ .async = true }); }
comptime {
  @bind_local_task(main, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
  @initialize_queue(in_q, .{ .color = @get_color(rx) });
  if (@is_arch("wse3")) { @initialize_queue(out_q, .{ .color = @get_color(tx) }); }
}
"""


class Layouts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="waferlab-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.source = os.path.join(self.folder, "echo.csl")
        with open(self.source, "w", encoding="utf-8") as file:
            file.write(ECHO)
        self.platform = sdk.get_platform(target=sdk.SdkTarget.WSE3)
        self.layout = sdk.SdkLayout(self.platform)

    def region(self):
        region = self.layout.create_code_region(self.source, "echo", 1, 1)
        self.rx, self.tx = region.color("rx"), region.color("tx")
        region.set_param_all(self.rx)
        region.set_param(IntVector(0, 0), "tx", self.tx)
        region.set_param_range(IntRectangle(IntVector(0, 0), IntVector(1, 1)), "turns", 7)
        return region

    def started(self):
        artifacts = self.layout.compile(os.path.join(self.folder, "out"), libs=[self.folder], save_port_map=True)
        runtime = sdk.SdkRuntime(artifacts, self.platform, memcpy_required=False)
        runtime.load()
        runtime.run()
        return runtime

    def streams(self):
        region = self.region()
        region.place(2, 2)
        to_ramp, from_ramp = sdk.RoutingPosition().set_output([sdk.Route.RAMP]), sdk.RoutingPosition().add_input(sdk.RAMP)
        rx_port = region.create_input_port(self.rx, sdk.Edge.TOP, [to_ramp], 3)
        tx_port = region.create_output_port(self.tx, sdk.Edge.BOTTOM, [from_ramp], 3)
        into = self.layout.create_input_stream(rx_port, io_loc=IntVector(0, 0), io_buffer_size=2)
        return into, self.layout.create_output_stream(tx_port)

    def test_the_port_map_of_a_program_may_be_named(self):
        self.streams()
        artifacts = self.layout.compile("out", save_port_map=True)
        self.assertIs(artifacts.add_port_mapping(os.path.join("out", "port_map.json")), artifacts)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            sdk.SdkRuntime(artifacts, self.platform)
        with self.assertRaisesRegex(SdkError, "add_port_mapping: there is no file 'nowhere.json'"):
            artifacts.add_port_mapping("nowhere.json")
        for text in ("[]", "no JSON"):
            with open("other.json", "w", encoding="utf-8") as file:
                file.write(text)
            other = sdk.SdkCompileArtifacts("out").add_port_mapping("other.json")
            with self.assertWarnsRegex(RuntimeWarning, "'other.json' is not the port map of this program, .*used: echo_rx"):
                sdk.SdkRuntime(other, self.platform)

    def test_a_platform_is_a_wse3_unless_the_program_says_otherwise(self):
        self.assertEqual(sdk.get_platform().target, sdk.SdkTarget.WSE3)
        self.assertEqual(sdk.get_simulator().target, sdk.SdkTarget.WSE3)
        self.layout = sdk.SdkLayout(sdk.get_platform())
        with open(self.source, "a", encoding="utf-8") as file:
            file.write("comptime { @comptime_assert(@is_arch(\"wse3\")); }\n")
        region = self.region()
        region.place(2, 2)
        self.layout.compile(os.path.join(self.folder, "out"), libs=[self.folder])

    def test_compile_keeps_what_the_folder_holds(self):
        self.region().place(2, 2)
        keep = os.path.join(self.folder, "keep")
        os.mkdir(keep)
        with open(os.path.join(keep, "colors.json"), "w", encoding="utf-8") as file:
            file.write("mine")
        with self.assertRaisesRegex(CompileError, "colors.json: it is not of an earlier compilation"):
            self.layout.compile(keep, libs=[self.folder])
        os.rename(os.path.join(keep, "colors.json"), os.path.join(keep, "palette.json"))
        self.layout.compile(keep, libs=[self.folder], save_port_map=True)
        self.assertTrue(os.path.exists(os.path.join(keep, "port_map.json")))
        self.layout.compile(keep, libs=[self.folder])
        self.assertEqual(
            sorted(os.listdir(keep)),
            ["bin", "colors.json", "east", "generated", "out.json", "palette.json", "west"],
        )

    def test_what_is_sent_comes_back(self):
        into, out = self.streams()
        runtime = self.started()
        back = np.zeros(4, dtype=np.float32)
        runtime.send(runtime.get_port_id(into), np.array([1.5, -2.0, 4.0], dtype=np.float32), nonblock=True)
        task = runtime.receive(out, back[1:], 3, nonblock=True)
        runtime.task_wait(task)
        np.testing.assert_array_equal(back, [0.0, 1.5, -2.0, 4.0])
        halves = np.array([1, 2, 3, 4], dtype=np.uint16)
        runtime.send(into, halves, 2, nonblock=True)
        again = np.zeros(4, dtype=np.uint16)
        runtime.receive(out, again, 2, nonblock=False)
        np.testing.assert_array_equal(again, halves)
        runtime.stop()
        np.testing.assert_array_equal(runtime.read_symbol(2, 2, "told", dtype="uint16"), [7])

    def test_a_file_takes_all_that_comes(self):
        into, out = self.streams()
        runtime = self.started()
        path = os.path.join(self.folder, "words")
        task = runtime.receive_tofile(out, path, nonblock=True)
        self.assertFalse(runtime.is_task_done(task))
        runtime.send(into, np.arange(3, dtype=np.uint32), nonblock=True)
        runtime.stop()
        self.assertTrue(runtime.is_task_done(task))
        np.testing.assert_array_equal(np.fromfile(path, dtype=np.uint32), [0, 1, 2])

    def test_streams_from_a_location(self):
        self.region()
        into = self.layout.create_input_stream_from_loc(IntVector(0, 0), self.rx, "in_")
        out = self.layout.create_output_stream_from_loc(loc=IntVector(0, 0), c=self.tx)
        runtime = self.started()
        runtime.send(into, np.arange(5, dtype=np.int32))
        back = np.zeros(5, dtype=np.int32)
        runtime.receive(out, back, 5)
        np.testing.assert_array_equal(back, np.arange(5))

    def test_what_does_not_fit_is_refused_before_anything_moves(self):
        into, out = self.streams()
        runtime = self.started()
        with self.assertRaisesRegex(RuntimeError, "items of 2 bytes"):
            runtime.send(into, np.zeros(2, dtype=np.uint16))
        with self.assertRaisesRegex(RuntimeError, "3 wavelets of 32 bits do not fit"):
            runtime.receive(out, np.zeros(2, dtype=np.uint32), 3)
        self.assertIsNone(runtime.get_port_id("nothing"))
        for port in (None, "nothing"):
            with self.assertRaisesRegex(RuntimeError, f"gave None for 'nothing', .* it has {into}, {out}"):
                runtime.send(port, np.zeros(2, dtype=np.uint32))
            with self.assertRaisesRegex(RuntimeError, f"gave None for 'nothing', .* it has {into}, {out}"):
                runtime.receive(port, np.zeros(2, dtype=np.uint32), 2)

    def test_colors_know_their_names(self):
        region = self.layout.create_code_region(self.source, "left", 2, 1)
        own, shared = region.color("c", 4), sdk.Color("c")
        self.assertEqual((own.get_global_name(), own.get_local_param_name(), own.get_value()), ("left_c", "c", 4))
        self.assertEqual((shared.get_global_name(), shared.get_value()), ("c", None))
        self.assertEqual(self.layout.hstack([region]), 2)
        with self.assertRaisesRegex(RuntimeError, "colors are 0 to 23"):
            sdk.Color("d", 24)

    def test_a_program_with_errors_raises_them(self):
        self.layout.create_code_region(self.source, "echo", 1, 1)
        with self.assertRaisesRegex(RuntimeError, "param `rx` has no value"):
            self.layout.compile(os.path.join(self.folder, "out"))

    def test_foreign_handles_and_wrong_values_are_refused(self):
        region = sdk.SdkLayout(sdk.SdkTarget.WSE2).create_code_region(self.source, "echo", 1, 1)
        with self.assertRaisesRegex(RuntimeError, "vstack: children: .* is no code region of this SdkLayout"):
            self.layout.vstack([region])
        with self.assertRaisesRegex(ArgumentError, r"set_param_all: the value of turns must be .*, not 1.5 \(float\)"):
            region.set_param_all("turns", 1.5)
        with self.assertRaisesRegex(RuntimeError, "must be a numpy array of"):
            region.set_symbol_all("told", np.zeros(1), 1, 1)
        with self.assertRaisesRegex(RuntimeError, "big-endian"):
            region.set_symbol_all("told", np.zeros(1, ">u2"), 1, 1)
        with self.assertRaisesRegex(RuntimeError, "a masked array"):
            region.set_symbol_all("told", np.ma.zeros(1, np.uint16), 1, 1)
        with self.assertRaisesRegex(RuntimeError, "fabric files describe systems"):
            sdk.SdkLayout("fabric.json")

    def test_arguments_of_other_types_are_named_with_their_method(self):
        region, to_ramp = self.region(), sdk.RoutingPosition().set_output([sdk.RAMP])
        at, rect = IntVector(0, 0), IntRectangle(IntVector(0, 0), IntVector(1, 1))
        port = (self.rx, sdk.Edge.TOP, [to_ramp], 3)
        layout, many = self.layout, np.zeros(1, np.uint16)
        for told, call, *arguments in [
            ("create_code_region: width must not be negative or beyond .*-1", layout.create_code_region, "a.csl", "a", -1, 1),
            ("create_code_region: height must be a whole number, not 1.0", layout.create_code_region, "a.csl", "a", 1, 1.0),
            ("create_code_region: source must be a path, not None", layout.create_code_region, None, "a", 1, 1),
            ("create_code_region: name must be a str, not 3", layout.create_code_region, "a.csl", 3, 1, 1),
            ("place: x must be a whole number, not 'a'", region.place, "a", 0),
            ("set_param: the value of turns must be a number of 64 bits", region.set_param, at, "turns", 2**70),
            ("set_param: name must be a str, not 3", region.set_param, at, 3, 1),
            ("set_param: coord must be (column, row), not 3", region.set_param, 3, "turns", 1),
            ("set_param: coord: y must be a whole number, not 0.5", region.set_param, (0, 0.5), "turns", 1),
            ("set_param_range: rect must be an IntRectangle", region.set_param_range, at[:1], "turns", 1),
            ("paint: routes must be a list of RoutingPosition, and has None", region.paint, at, self.rx, [None]),
            ("paint: routes must be a list, not <", region.paint, at, self.rx, to_ramp),
            ("paint_range: color must be a Color, as CodeRegion.color() makes one, not 'rx'", region.paint_range, rect, "rx", [to_ramp]),
            ("paint_all: edge_routes must be a list of EdgeRouteInfo", region.paint_all, self.rx, [to_ramp], [to_ramp]),
            ("set_input: routes must be a list, not <Route.WEST: 2>", to_ramp.set_input, sdk.Route.WEST),
            ("set_output: routes must be a list, not 'WEST'", to_ramp.set_output, "WEST"),
            ("add_input: route must be one of Route.RAMP, ", to_ramp.add_input, "WEST"),
            ("get_edge_routing: edge must be one of Edge.TOP, ", sdk.get_edge_routing, "TOP", [to_ramp]),
            ("create_input_port: data_size is 0", region.create_input_port, *port[:3], 0),
            ("create_input_port: data_size must not be negative or beyond", region.create_input_port, *port[:3], 2**33),
            ("create_output_port: edge must be one of Edge.TOP", region.create_output_port, self.tx, None, [to_ramp], 3),
            ("create_input_port: prefix must be a str, not None", region.create_input_port, *port, None),
            ("set_symbol_all: symbol must be a str, not None", region.set_symbol_all, None, many, 1, 1),
            ("set_symbol_all: width must be a whole number, not '1'", region.set_symbol_all, "told", many, "1", 1),
            ("connect: tx: None (NoneType) is no port", layout.connect, None, None),
            ("hstack: children must be a list, not 3", layout.hstack, 3),
            ("vstack: origin must be (column, row), not 3", layout.vstack, [region], 3),
            ("create_input_stream: port: None (NoneType) is no port", layout.create_input_stream, None),
            ("create_input_stream_from_loc: loc must be (column, row)", layout.create_input_stream_from_loc, 3, self.rx),
            ("compile: out_prefix must be a path, not None", layout.compile, None),
            ("compile: libs must be a list, not 'lib'", layout.compile, "out", "lib"),
            ("Color: value of x must be a whole number, not '5'", sdk.Color, "x", "5"),
            ("Color: name must be a str, not 3", region.color, 3),
            ("target must be one of SdkTarget.WSE2, SdkTarget.WSE3, not 'wse3'", lambda: sdk.get_platform(target="wse3")),
        ]:
            with self.subTest(told), self.assertRaisesRegex(ArgumentError, f"^{re.escape(told).replace(re.escape('.*'), '.*')}"):
                call(*arguments)
        region.set_param_all("turns", -(2**63))

    def test_a_region_that_is_placed_elsewhere_is_told(self):
        region = self.region()
        region.place(2, 2)
        with self.assertWarnsRegex(RuntimeWarning, r"place: echo was placed at \(2, 2\), and is moved to \(3, 1\)"):
            region.place(3, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            region.place(3, 1)

    def test_data_has_items_of_the_size_of_the_symbols(self):
        with open(self.source, "a", encoding="utf-8") as file:
            file.write("export var weights = @zeros([2, 2]f32);\n")
        region = self.region()
        region.place(2, 2)
        region.set_symbol_all("weights", np.ones((2, 2), np.int16), 2, 2)
        with self.assertRaisesRegex(CompileError, "set_symbol_all: weights, .*f32, has items of 4 bytes, and data has items of 2: the 8 bytes"):
            self.layout.compile("out", libs=[self.folder])
        self.assertFalse(os.path.exists("out"), "nothing is written")

    def test_values_of_params_may_be_anything_that_is_a_whole_number(self):
        region = self.region()
        for value in (5, np.int16(5), np.array(5), True, np.bool_(True)):
            region.set_param_all("size", value)

    def test_data_may_be_the_bits_of_a_symbol(self):
        with open(self.source, "a", encoding="utf-8") as file:
            file.write("export var weights = @zeros([4]f32);\n")
        region = self.region()
        region.place(2, 2)
        weights = np.array([1.5, -2, 0, 4], np.float32)
        region.set_symbol_all("weights", weights.view(np.uint16), 8, 1)
        runtime = self.started()
        np.testing.assert_array_equal(runtime.read_symbol(2, 2, "weights", np.float32), weights)

    def test_a_port_has_no_routes_to_the_outside(self):
        region, both = self.region(), sdk.RoutingPosition().set_input([sdk.Route.RAMP]).set_output([sdk.Route.NORTH])
        with self.assertRaisesRegex(RuntimeError, "output port echo_tx: a position of `routes` has outputs"):
            region.create_output_port(self.tx, sdk.Edge.RIGHT, [both], 3)
        with self.assertRaisesRegex(RuntimeError, "input port echo_rx: a position of `routes` has inputs"):
            region.create_input_port(self.rx, sdk.Edge.LEFT, [both], 3)

    def test_the_variants_of_the_constructor_by_name(self):
        sdk.SdkLayout(platform=self.platform)
        sdk.SdkLayout(target=sdk.SdkTarget.WSE2)
        with self.assertRaisesRegex(RuntimeError, "fabric files describe systems"):
            sdk.SdkLayout(fabric_file="fabric.json")
        with self.assertRaisesRegex(TypeError, "one of platform, target and fabric_file"):
            sdk.SdkLayout()
        with self.assertRaisesRegex(RuntimeError, "msg_level must be one of"):
            sdk.SdkLayout(self.platform, msg_level="LOUD")
        with self.assertWarnsRegex(RuntimeWarning, r"SdkLayout\(\) .*'msg_lvl'.* is 'msg_level'"):
            sdk.SdkLayout(self.platform, msg_lvl="INFO")

    def test_a_rectangle_ends_at_a_corner_or_after_its_dims(self):
        corner = IntRectangle(IntVector(1, 2), IntVector(4, 6))
        self.assertEqual(IntRectangle(IntVector(1, 2), dims=IntVector(3, 4)), corner)
        # No corner lies there: the manual's width and height.
        self.assertEqual(IntRectangle(IntVector(3, 2), IntVector(3, 4)), IntRectangle(IntVector(3, 2), IntVector(6, 6)))
        origin, end = corner
        self.assertEqual((origin, end), ((1, 2), (4, 6)))
        with self.assertRaisesRegex(TypeError, "one of end and dims"):
            IntRectangle(IntVector(1, 2))

    def test_the_color_of_a_port_has_two_names(self):
        for number, name in enumerate(("c", "color")):
            region = self.layout.create_code_region(self.source, f"echo{number}", 1, 1)
            to_ramp, from_ramp = sdk.RoutingPosition().set_output([sdk.RAMP]), sdk.RoutingPosition().add_input(sdk.RAMP)
            rx, tx = {name: region.color("rx")}, {name: region.color("tx")}
            region.create_input_port(**rx, edge=sdk.Edge.TOP, routes=[to_ramp], data_size=3, prefix="a")
            region.create_output_port(**tx, edge=sdk.Edge.TOP, routes=[from_ramp], data_size=3, prefix="b")
        with self.assertRaisesRegex(TypeError, "'c'"):
            region.create_input_port(c=rx, color=rx, edge=sdk.Edge.TOP, routes=[to_ramp], data_size=3)

    def test_params_by_keyword(self):
        region = self.layout.create_code_region(self.source, "echo", 1, 1)
        region.set_param_all(color=region.color("rx"))
        region.set_param(coord=IntVector(0, 0), name="tx", value=region.color("tx"))
        region.set_param_all(name="turns", value=7)
        region.place(2, 2)
        runtime = self.started()
        self.assertEqual(runtime.read_symbol(2, 2, "told", "uint16"), [7])
        with self.assertRaisesRegex(RuntimeError, "2 bytes, which are no whole number of items of float64"):
            runtime.read_symbol(2, 2, "told", "float64")
        with self.assertRaisesRegex(TypeError, "not by 'number'"):
            region.set_param_all("turns", number=7)


if __name__ == "__main__":
    unittest.main()
