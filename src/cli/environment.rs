//! The one place that reads the environment: the log's level, and carriers' secrets by the names that the site file gives.

use anyhow::Context;
use drivers::carriers::{CarrierSettings, Secret};
use std::fmt::{Debug, Write};
use std::io::IsTerminal;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use twin::text::Visible;

/// Logs to standard error, at the level in `PARCELTWIN_LOG` (`warn` where absent).
pub fn start_log() {
    let filter = EnvFilter::try_from_env("PARCELTWIN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().fmt_fields(fields());
    // Colours are for a person at a screen: in a file they are garbage to whoever searches it.
    log.with_ansi(std::io::stderr().is_terminal()).init();
}

/// How a record's fields are written: what a carrier, a device or a buyer said is shown and cannot act, so no text begins a
/// line of its own or colours one.
fn fields() -> impl for<'a> FormatFields<'a> + Send + Sync + 'static {
    let one = |writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| {
        if field.name() != "message" {
            write!(writer, "{}=", field.name())?;
        }
        write!(Visible(writer), "{value:?}")
    };
    debug_fn(one).delimited(" ")
}

/// The secret of a carrier account. It is never printed and never written.
pub fn secret(settings: &CarrierSettings) -> anyhow::Result<Secret> {
    let name =
        settings.secret_env.as_deref().with_context(|| format!("carrier {}: secret_env names no environment variable", settings.id))?;
    let value = std::env::var(name).with_context(|| format!("carrier {}: environment variable {name} is not set", settings.id))?;
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_foreign_text_cannot_forge_a_line_of_the_log() {
        let page = Page::default();
        let writer = page.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).without_time().with_ansi(false).fmt_fields(super::fields());
        let said = "no\nERROR parceltwin: stock is gone \u{1b}[31m\u{9b}31m\r\u{202e}";
        tracing::subscriber::with_default(log.finish(), || {
            tracing::warn!(why = %said, told = said, "refused: {said}");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.trim_end().contains(twin::text::is_hidden), "{text:?}");
        assert!(text.contains("refused: no\\nERROR parceltwin: stock is gone \\u001b[31m"), "{text:?}");
        assert!(text.contains("why=no\\nERROR") && text.contains("told=\"no\\nERROR"), "{text:?}");
    }
}
