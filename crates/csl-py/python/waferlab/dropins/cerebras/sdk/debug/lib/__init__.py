"""The vendor's readers of its own trace files, which Waferlab does not write."""
raise ImportError(
    "cerebras.sdk.debug.lib reads simfab_traces, which Waferlab does not write; a run with "
    "SIMFABRIC_DEBUG=landing,inst_trace,router logs the same in sim.log, and debug_util and csdb read memory"
)
