# An argument too many.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("scale", np.float32(2.0), np.float32(3.0), nonblock=False)
runner.stop()
