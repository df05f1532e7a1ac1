//! Progress on a terminal, and nothing where there is none.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::borrow::Cow;
use std::io::IsTerminal;

/// A line that says how far a long job is; hidden when piped or asked to be quiet.
pub fn progress(quiet: bool, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    if !quiet && std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {wide_bar} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}

/// The same for so many runs, with the time that is left.
pub fn runs(quiet: bool, what: &str, of: usize) -> ProgressBar {
    let bar = progress(quiet, what);
    bar.set_length(of as u64);
    if let Ok(style) = ProgressStyle::with_template("{prefix}  {pos} of {len} runs  {wide_bar} {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Prints to standard output, foreign text in it visibly; a reader that has gone away ends the program quietly, as `head`
/// expects.
pub fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(shown(text).as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Text of several lines with everything else that would act on a terminal made visible.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| twin::text::is_hidden(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(twin::text::visible).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_stay_lines_and_nothing_else_acts() {
        assert_eq!(super::shown("a\nb\u{1b}[2J\u{9b}2J\n"), "a\nb\\u001b[2J\\u009b2J\n");
    }
}
