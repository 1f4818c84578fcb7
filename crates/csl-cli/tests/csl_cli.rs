//! Tests of the command line of `cslc`.

mod book;
mod commands;
mod explain;
mod findings;
mod fmt;
mod lint;
mod lsp;
mod mistakes;
mod outfolder;

use csl_cli::parse;
use csl_host::{Arch, Options, Sdk};

fn options(line: &str) -> Options {
    parse(line.split_whitespace().map(str::to_owned).collect()).expect("the line is valid")
}

fn refusal(line: &str) -> String {
    parse(line.split_whitespace().map(str::to_owned).collect()).expect_err("the line is wrong")
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_file_alone_takes_the_defaults() {
    let options = options("layout.csl");
    assert_eq!(options, Options::new("layout.csl"));
    assert_eq!((options.arch, options.output.to_str()), (Arch::Wse2, Some("out")));
}

#[test]
fn values_come_after_a_space_or_an_equals_sign() {
    let spaced = options("a.csl --fabric-dims 8,3 --fabric-offsets 4,1 -o folder --memcpy --channels 2 --arch wse3");
    let equals = options("--memcpy --arch=wse3 --channels=2 -o=folder --fabric-offsets=4,1 --fabric-dims=8,3 a.csl");
    assert_eq!(spaced, equals);
    assert_eq!(spaced.fabric_dims, Some((8, 3).into()));
    assert_eq!(spaced.fabric_offsets, Some((4, 1).into()));
    assert_eq!(spaced.output.to_str(), Some("folder"));
    assert_eq!(options("a.csl -ofolder").output.to_str(), Some("folder"));
}

#[test]
fn params_and_colors_add_up_over_repetitions() {
    let options = options("a.csl --params=M:4,N:6 --params width:0x10 --colors=c:9 --colors=d:10,e:11");
    assert_eq!(options.params, pairs(&[("M", "4"), ("N", "6"), ("width", "0x10")]));
    assert_eq!(options.colors, pairs(&[("c", "9"), ("d", "10"), ("e", "11")]));
}

#[test]
fn every_other_flag_has_its_place() {
    let options = options(
        "a.csl --width-west-buf=3 --width-east-buf=4 --import-path lib --import-path=more --fp16-format=bf16 \
         --max-inlined-iterations=9 --comptime-func-depth-limit=8 --max-parallelism=2 --warnings-as-errors -g0 \
         --link-section-start-address-bytes=.one:40960,.two:0x9000 --output-json=o.json --out-routes=r --verbose \
         --sdk=1.4",
    );
    assert_eq!((options.west_buffer, options.east_buffer), (3, 4));
    assert_eq!(options.import_paths.len(), 2);
    assert_eq!(options.fp16, csl_host::options::parse_fp16("bf16").expect("a format"));
    assert_eq!((options.max_inlined_iterations, options.comptime_func_depth_limit), (Some(9), Some(8)));
    assert_eq!(options.link_sections, [(".one".to_owned(), 40960), (".two".to_owned(), 0x9000)]);
    assert!(options.warnings_as_errors);
    assert_eq!(options.sdk, Some(Sdk { major: 1, minor: 4 }));
}

#[test]
fn wrong_values_are_named() {
    for (line, part) in [
        ("", "CSL_FILE"),
        ("a.csl --params=M", "--params: `M` is not of the form NAME:VALUE"),
        ("a.csl --colors=1:M", "--colors: `1:M` is not of the form NAME:VALUE"),
        ("a.csl --fabric-dims=8", "`8` is not two whole numbers"),
        ("a.csl --fabric-dims=8,-3", "`8,-3` is not two whole numbers"),
        ("a.csl --fabric-dims=10001,3", "`10001,3` is not two whole numbers up to 10000, such as 8,3"),
        ("a.csl --arch=wse9", "`wse9` is not one of wse2, wse3"),
        ("a.csl --memcpy --channels=0", "--channels=0: memcpy takes 1 to 16 channels"),
        ("a.csl --fp16-format=f32", "`f32` is not one of f16, bf16, cb16"),
        ("a.csl --sdk=new", "`new` is not an SDK release"),
        ("a.csl --link-section-start-address-bytes=.s:70000", "`.s:70000` is not of the form SECTION:ADDRESS"),
        ("a.csl --no-such-flag", "--no-such-flag"),
    ] {
        let text = refusal(line);
        assert!(text.contains(part), "`{line}` gives\n{text}\nwithout\n{part}");
    }
}

#[test]
fn options_are_taken_as_the_field_writes_them() {
    let usual = options("a.csl --arch=wse3 --fabric-dims=8,3 --fabric-offsets=4,1 --memcpy --params=M:-4 -o folder");
    assert_eq!(options("-arch=wse3 -fabric-dims 8,3 -fabric-offsets=4,1 -memcpy -params=M:-4 a.csl -ofolder"), usual);
    assert_eq!(options("a.csl --g0"), options("a.csl -g0"));
    assert_eq!(options("a.csl -arch=wse2 -o a --arch=wse3 -o b").output.to_str(), Some("b"));
    assert_eq!(options("a.csl --dump-one -dump-two=3").ignored, ["--dump-one", "--dump-two=3"]);
    assert!(refusal("a.csl --damp-one").contains("--damp-one"));
    assert!(refusal("a.csl -- -arch=wse3").contains("-arch=wse3"));
    assert!(refusal("a.csl --arch").contains("a value is required"));
}

#[test]
fn names_of_files_may_be_left_out() {
    let given = options("--out-routes a.csl --output-json");
    assert_eq!((given.root.to_str(), given.output_json, given.out_routes), (Some("a.csl"), None, Some("-".into())));
    for line in ["--out-routes r --output-json o.json a.csl", "a.csl -out-routes=r -output-json o.json"] {
        let given = options(line);
        assert_eq!((given.output_json, given.out_routes), (Some("o.json".into()), Some("r".into())), "{line}");
    }
}
