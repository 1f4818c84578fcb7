# A launch before run().
#> told by: run
#> mark: 3
runner = SdkRuntime(out)
runner.load()
runner.launch("scale", np.float32(2.0), nonblock=False)
