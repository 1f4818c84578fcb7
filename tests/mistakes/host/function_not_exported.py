# A launch of a symbol that is no function.
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("v", nonblock=False)
runner.stop()
