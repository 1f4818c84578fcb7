//! Which file stands for which name. Names that older programs use stand beside the new ones with the same file.

macro_rules! library {
    ($name:literal) => {
        ($name, include_str!(concat!("../csl/", $name, ".csl")))
    };
}

pub(crate) const LIBRARIES: &[(&str, &str)] = &[
    library!("complex"),
    library!("control"),
    library!("data_utils"),
    library!("directions"),
    library!("dsd_ops"),
    library!("empty"),
    library!("layout"),
    library!("malloc"),
    library!("math"),
    library!("memcpy/get_params"),
    library!("memcpy/memcpy"),
    library!("memcpy/memcpy_switches"),
    library!("memcpy_multi/get_params"),
    ("memcpy_multi/memcpy", include_str!("../csl/memcpy/memcpy.csl")),
    ("memcpy_multi/memcpy_switches", include_str!("../csl/memcpy/memcpy_switches.csl")),
    library!("random"),
    library!("string"),
    library!("time"),
    library!("timer"),
    library!("types"),
];
