# The folder of the program misspelt.
#> told by: run
#> mark: 3
runner = SdkRuntime("outt")
