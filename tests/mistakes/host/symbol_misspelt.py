# A symbol misspelt.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
w = runner.get_id("w")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.memcpy_h2d(w, x, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
runner.stop()
