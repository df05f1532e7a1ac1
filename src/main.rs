//! The command `parceltwin`.

fn main() -> std::process::ExitCode {
    parceltwin::keep_freed_memory();
    parceltwin::cli::main()
}
