# An argument left out.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("scale", nonblock=False)
runner.stop()
