//! The table of library names and their files. Names that older programs use stand beside the new ones with the same
//! file.

macro_rules! library {
    ($name:literal) => {
        ($name, include_str!(concat!("../csl/", $name, ".csl")))
    };
}

pub(crate) const LIBRARIES: &[(&str, &str)] = &[
    library!("collectives_2d/common"),
    library!("collectives_2d/params"),
    library!("collectives_2d/pe"),
    library!("complex"),
    library!("control"),
    library!("data_utils"),
    library!("debug"),
    library!("directions"),
    library!("dsd_ops"),
    library!("empty"),
    library!("kernels/fft/fft3d"),
    library!("kernels/fft/fft3d_layout"),
    library!("kernels/fft/fft3d_program"),
    library!("kernels/fft/get_params"),
    library!("kernels/tally/layout"),
    library!("kernels/tally/pe"),
    library!("layout"),
    library!("malloc"),
    library!("math"),
    library!("memcpy/get_params"),
    library!("memcpy/memcpy"),
    library!("memcpy/memcpy_switches"),
    library!("memcpy_multi/get_params"),
    ("memcpy_multi/memcpy", include_str!("../csl/memcpy/memcpy.csl")),
    ("memcpy_multi/memcpy_switches", include_str!("../csl/memcpy/memcpy_switches.csl")),
    library!("message_passing"),
    library!("random"),
    library!("sdklayout/stream"),
    library!("simprint"),
    library!("string"),
    library!("tile_config"),
    library!("tile_config/color_config"),
    library!("tile_config/control_transform"),
    library!("tile_config/exceptions"),
    library!("tile_config/filters"),
    library!("tile_config/input_queue_config"),
    library!("tile_config/input_queue_status"),
    library!("tile_config/main_thread_priority"),
    library!("tile_config/output_queue_config"),
    library!("tile_config/output_queue_status"),
    library!("tile_config/queue_flush"),
    library!("tile_config/switch_config"),
    library!("tile_config/target"),
    library!("tile_config/task_priority"),
    library!("tile_config/teardown"),
    library!("time"),
    library!("timer"),
    library!("types"),
];
