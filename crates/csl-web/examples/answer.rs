//! Reads a request on standard input and prints the answer: what the page does, on this machine.

use std::io::{Read, stdin};

fn main() -> std::io::Result<()> {
    let mut request = String::new();
    stdin().read_to_string(&mut request)?;
    println!("{}", csl_web::answer(&request));
    Ok(())
}
