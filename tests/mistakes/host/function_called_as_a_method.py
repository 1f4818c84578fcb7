# A function called as a method of the runtime.
#> told by: run
#> mark: 2 launch("scale", ..)
runner = SdkRuntime(out)
v = runner.get_id("v")
h = runner.get_id("h")
runner.load()
runner.run()
runner.scale(2.0)
