# An array as an argument.
#> told by: run
#> mark: 2 the whole array is printed
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
x = np.zeros(24, dtype=np.float32)
runner.launch("scale", x, nonblock=False)
runner.stop()
