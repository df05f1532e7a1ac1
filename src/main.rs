//! The command `parceltwin`.

fn main() -> std::process::ExitCode {
    parceltwin::cli::main()
}
