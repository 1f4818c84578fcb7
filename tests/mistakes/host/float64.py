# An array of numpy's default type.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24)
runner.memcpy_h2d(v, x, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
