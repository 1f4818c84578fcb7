# The result of a copy that does not block, read by a function before it is waited for.
#> told by: run
#> mark: 3
def error_of(result):
    return np.max(np.abs(result - 1))

runner = SdkRuntime(out)
v = runner.get_id("v")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
task = runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, streaming=False, order=MemcpyOrder.ROW_MAJOR, data_type=MemcpyDataType.MEMCPY_32BIT, nonblock=True)
if error_of(x) > 0:
    print("wrong")
runner.task_wait(task)
runner.stop()
