//! The one place that reads the environment: the log's level, and carriers' secrets by the names that the site file gives.

use anyhow::Context;
use drivers::carriers::{CarrierSettings, Secret};
use tracing_subscriber::EnvFilter;

/// Logs to standard error, at the level in `PARCELTWIN_LOG` (`warn` where absent).
pub fn start_log() {
    let filter = EnvFilter::try_from_env("PARCELTWIN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
}

/// The secret of a carrier account. It is never printed and never written.
pub fn secret(settings: &CarrierSettings) -> anyhow::Result<Secret> {
    let name =
        settings.secret_env.as_deref().with_context(|| format!("carrier {}: secret_env names no environment variable", settings.id))?;
    let value = std::env::var(name).with_context(|| format!("carrier {}: environment variable {name} is not set", settings.id))?;
    Ok(Secret::new(value))
}
