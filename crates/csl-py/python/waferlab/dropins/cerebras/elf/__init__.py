"""The host API of SDK 0.4 to 0.8, which Waferlab does not have."""
raise ImportError(
    "cerebras.elf (CSELFRunner, the host API of SDK 0.4 to 0.8) is not supported; its successor is "
    "cerebras.sdk.runtime.sdkruntimepybind.SdkRuntime, with programs compiled with `cslc --memcpy --channels=1`"
)
