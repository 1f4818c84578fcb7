# A folder that is no output of `cslc`.
#> told by: run
#> mark: 3
runner = SdkRuntime("..")
