//! How long answers take while one types: to be run alone, on a machine with nothing else to do or at a higher priority.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, position};
use super::edits::{Random, files, number, programs};

/// What is typed: what keeps a program whole, and what breaks it.
const TEXTS: &[&str] = &[" ", "\n", "x", "1", "// a\n", "const y = 1;\n", "}", "(", ";", "@fm", "var ", "."];

/// Prints the times for each program of `WAFERLAB_LSP_PROGRAMS`: `WAFERLAB_CASES` changes of its largest file, half of them taken
/// back.
#[test]
#[ignore = "measures; `cargo xtask server latency` runs it"]
fn latency() {
    for folder in programs() {
        let (mut diagnostics, mut completion, most) = measure(&folder, number("WAFERLAB_CASES", 100));
        println!("{}", folder.display());
        println!("  diagnostics {}", summary(&mut diagnostics));
        println!("  completion  {}", summary(&mut completion));
        println!("  memory      {most}");
    }
}

fn summary(times: &mut [Duration]) -> String {
    times.sort();
    let at =
        |part: usize| times.get((times.len() * part / 100).min(times.len() - 1)).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    format!("least {:.1}, median {:.1}, 90 % {:.1}, 99 % {:.1}, most {:.1} ms", at(0), at(50), at(90), at(99), at(100))
}

/// The times of diagnostics and of completion, and the greatest size of the process.
fn measure(folder: &Path, cases: usize) -> (Vec<Duration>, Vec<Duration>, String) {
    let mut client = Client::start(folder);
    let size = |name: &String| std::fs::metadata(folder.join(name)).map_or(0, |data| data.len());
    let name = files(folder, folder).into_iter().max_by_key(size).expect("there is a program");
    client.open(&name);
    let mut random = Random::new(number("WAFERLAB_SEED", 0));
    let (mut diagnostics, mut completion) = (Vec::new(), Vec::new());
    client.diagnostics_of(&name);
    for step in 0..cases {
        let text = client.texts[&name].1.clone();
        let at = text.floor_char_boundary(random.next(text.len() + 1));
        let typed = TEXTS[random.next(TEXTS.len())];
        // In turns: wait for the diagnostics, or ask for completion right behind the change.
        let began = Instant::now();
        client.replace(&name, at..at, typed);
        if step % 2 == 0 {
            client.diagnostics_of(&name);
            diagnostics.push(began.elapsed());
        } else {
            let end = position(&client.texts[&name].1, at + typed.len());
            let params = json!({ "textDocument": { "uri": client.uri(&name) }, "position": end });
            client.request("textDocument/completion", params);
            completion.push(began.elapsed());
            client.diagnostics_of(&name);
        }
        let began = Instant::now();
        client.replace(&name, at..at + typed.len(), "");
        client.diagnostics_of(&name);
        diagnostics.push(began.elapsed());
    }
    let most = client.most_memory();
    client.stop();
    (diagnostics, completion, most)
}
