# A launch behind a function that never unblocks the command stream.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("hold", nonblock=False)
runner.launch("scale", np.float32(2.0), nonblock=False)
runner.stop()
