//! Generates the parser from the grammar at the top of the repository.

use std::env;

fn main() {
    let folder = "../../grammar";
    let grammar = format!("{folder}/csl.lalrpop");
    println!("cargo:rerun-if-changed={grammar}");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let made = lalrpop::Configuration::new().set_in_dir(folder).set_out_dir(out).process();
    if let Err(error) = made {
        panic!("{grammar}: {error}");
    }
}
