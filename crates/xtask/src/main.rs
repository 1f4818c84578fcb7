//! `cargo xtask`: set-up, examples, tests and benchmarks, from Rust and Python alone.

mod bench;
mod book;
mod compile_times;
mod dist;
mod editors;
mod formatting;
mod fuzz;
mod house;
mod lint;
mod pictures;
mod playground;
mod run;
mod server;
mod shell;
mod stamp;
mod test;
mod venv;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, examples, tests and benchmarks of Waferlab")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, make target/venv, and run an example's commands.sh
    Run {
        /// Folder of the example, such as examples/memcpy-walkthrough
        example: String,
    },
    /// Run the usual suites, Rust, Python and examples, or those that are named, `lint` among them
    Test {
        /// Only these
        #[arg(value_enum)]
        only: Vec<test::Suite>,
        /// Also the suites that want more tools or time, but not `lint`; those whose tools are missing are named at the end
        #[arg(long, conflicts_with = "only")]
        all: bool,
        /// A folder of published programs that the tree-sitter grammar is to parse; may be repeated
        #[arg(long, value_name = "FOLDER")]
        corpus: Vec<PathBuf>,
    },
    /// Print the benchmarks
    Bench {
        /// Only benchmarks whose name holds this
        filter: Option<String>,
        #[command(flatten)]
        extent: bench::Extent,
        /// Compile times with this `cslc` of another build, and with ours
        #[arg(long, value_name = "CSLC", conflicts_with_all = ["filter", "quick", "full", "json"])]
        compile: Option<PathBuf>,
        /// Folders with the programs to compile; the examples if there are none
        #[arg(long, value_name = "FOLDER", requires = "compile")]
        programs: Vec<PathBuf>,
    },
    /// Write the reference and the pictures of the book in docs/book, and build it if mdBook is there
    Book,
    /// Write the files for editors that are made of the compiler's tables, and the tree-sitter parser if tree-sitter is there
    Editors,
    /// Package the extension of VS Code as target/vscode/waferlab.vsix, with Node.js
    Extension,
    /// Format copies of programs and compare: the image stays, byte for byte but for line tables, and a second time changes nothing
    Formatting {
        /// Folders with programs and their commands*.sh
        #[arg(required = true, value_name = "FOLDER")]
        programs: Vec<PathBuf>,
    },
    /// Build the fuzzing targets and run them, one after the other
    Fuzz(fuzz::Args),
    /// Print, by crate, how many casts there are, and the type names that several crates define
    House,
    /// Make target/playground/index.html, the compiler and the simulator as a page of one file, where Rust can build for wasm32
    Playground,
    /// Measure the language server on programs, or look for answers that are stale
    Server(server::Args),
    /// Build everything and make target/venv
    Setup,
    /// Make the wheel and the source distribution in dist/, and check both in fresh environments
    Dist {
        /// An interpreter to check the wheel with, beside that of target/venv; may be repeated
        #[arg(long, value_name = "PYTHON")]
        python: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run { example } => run::example(&example),
        Command::Test { only, all, corpus } => test::all(&only, all, &corpus),
        Command::Bench { compile: Some(before), programs, .. } => compile_times::compare(&before, &programs),
        Command::Bench { filter, extent, .. } => bench::all(filter.as_deref(), &extent),
        Command::Book => book::write(),
        Command::Editors => editors::write(),
        Command::Extension => editors::extension().map(|package| println!("{}", package.display())),
        Command::Formatting { programs } => formatting::compare(&programs),
        Command::Fuzz(args) => fuzz::all(args),
        Command::House => house::report(),
        Command::Playground => playground::build().map(|page| println!("{}", page.display())),
        Command::Dist { python } => dist::make(&python),
        Command::Server(args) => server::all(&args),
        Command::Setup => venv::ensure().map(|_| ()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask: {text}");
            ExitCode::FAILURE
        }
    }
}
