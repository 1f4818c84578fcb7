# A function misspelt.
#> told by: run
#> mark: 2 near name
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.launch("scal", np.float32(2.0), nonblock=False)
runner.stop()
