# An integer for a float argument.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("scale", np.int32(2), nonblock=False)
runner.stop()
