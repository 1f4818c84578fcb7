# Wavelets that nobody takes at the end of the run.
#> told by: run
#> mark: 2
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("lose", nonblock=False)
runner.stop()
