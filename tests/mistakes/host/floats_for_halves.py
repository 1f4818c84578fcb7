# Floats of 32 bits for a symbol of f16, by 16-bit copies: the low halves arrive.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
x += 1.0
runner.memcpy_h2d(h, x, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_16BIT, nonblock=False)
runner.stop()
