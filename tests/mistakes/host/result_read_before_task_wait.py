# The result of a copy that does not block, read before it is waited for: it has the numbers of before.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.launch("scale", np.float32(2.0), nonblock=True)
task = runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=True)
total = x.sum()
runner.task_wait(task)
runner.stop()
