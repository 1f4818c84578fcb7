# A script whose own assertion fails before stop(), with a mistake of the program that --check tells.
#> told by: run
#> mark: 3
runner = SdkRuntime(out, check=True)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.ones(24, dtype=np.float32)
runner.memcpy_h2d(v, x, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
runner.launch("scale", np.float32(3e38), nonblock=False)
runner.launch("scale", np.float32(3e38), nonblock=False)
runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
assert x.sum() == 7.0, "the sum is wrong"
runner.stop()
