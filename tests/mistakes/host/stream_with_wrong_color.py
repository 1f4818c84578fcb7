# A stream of a color that the program does not take.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.memcpy_h2d(7, x, 0, 0, 3, 2, 4, streaming=True, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
runner.stop()
