//! Tests the table of libraries. Programs in `tests/run` test the libraries themselves.

use std::collections::HashSet;

#[test]
fn every_name_is_found_once() {
    let names: Vec<&str> = csl_std::names().collect();
    let distinct: HashSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len());
    assert!(names.iter().all(|name| csl_std::lookup(name).is_some_and(|text| text.ends_with('\n'))));
}

#[test]
fn names_come_without_brackets() {
    assert!(csl_std::lookup("math").is_some_and(|text| text.contains("fn sqrt(")));
    assert_eq!(csl_std::lookup("<math>"), None);
    assert_eq!(csl_std::lookup("no/such/library"), None);
}

#[test]
fn every_name_for_programs_has_a_text() {
    let mut bare = Vec::new();
    for library in csl_std::names() {
        assert_ne!(csl_std::about(library).unwrap_or_default(), "", "<{library}> says what it is");
        for declared in csl_std::declarations(library) {
            if declared.about.is_empty() {
                bare.push(format!("<{library}>.{}", declared.name));
            }
        }
    }
    assert!(bare.is_empty(), "no doc comment: {}", bare.join(", "));
}

#[test]
fn what_a_library_declares() {
    let math = csl_std::declarations("math");
    let find = |name: &str| math.iter().find(|declared| declared.name == name);
    assert_eq!(find("sqrt").map(|d| d.head.as_str()), Some("fn sqrt(x: anytype) @type_of(x)"));
    assert_eq!(find("sqrt_f16").map(|d| d.about.as_str()), Some("`sqrt` for `f16`."));
    assert_eq!(find("bits_of"), None);
    let control = csl_std::declarations("control");
    let payload = control.iter().find(|declared| declared.name == "encode_payload").expect("it is there");
    assert!(payload.head.contains("comptime N: u16,\n") && payload.head.ends_with(") u32"));
}
