# Coordinates of the whole fabric for those of the program.
#> told by: run
#> mark: 2 that of the whole fabric
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.memcpy_h2d(v, x, 4, 1, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
