# run() before load().
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
runner.run()
