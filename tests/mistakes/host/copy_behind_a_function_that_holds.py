# A copy behind a function that never unblocks the command stream.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.launch("hold", nonblock=False)
runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=False)
