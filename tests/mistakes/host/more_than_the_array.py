# More elements of a PE than its array has.
#> told by: run
#> mark: 2 to or from
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(30, dtype=np.float32)
runner.memcpy_h2d(v, x, 0, 0, 3, 2, 5, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
runner.stop()
