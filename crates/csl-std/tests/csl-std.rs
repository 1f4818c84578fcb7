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
