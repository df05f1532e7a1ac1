//! `parceltwin device`: one simulated device by itself, for anybody's client to talk to.

use super::{Answer, DeviceFlags, screen};
use anyhow::{Context, bail};
use sim::devices::serve::{Listen, ListenOptions, listen};
use twin::Span;
use twin::device::DeviceKind;

pub fn run(flags: DeviceFlags) -> anyhow::Result<Answer> {
    let kinds = [DeviceKind::Scale, DeviceKind::Scanner, DeviceKind::Sorter, DeviceKind::Printer];
    let Some(kind) = kinds.into_iter().find(|k| k.as_str() == flags.kind) else {
        bail!("{:?} is no device; there are scale, scanner, sorter and printer", flags.kind);
    };
    let place = match flags.listen.strip_prefix("tcp:") {
        Some(address) => Listen::Tcp(address.parse().with_context(|| format!("--listen {}: tcp: needs IP:PORT", flags.listen))?),
        None if flags.listen == "pty" => Listen::Pty,
        None => bail!("--listen {:?} is neither pty nor tcp:IP:PORT", flags.listen),
    };
    if !(0.05..=3_600.0).contains(&flags.every) {
        bail!("--every {} is not between 0.05 and 3600 seconds", flags.every);
    }
    let usual = ListenOptions::default();
    let options = ListenOptions {
        seed: flags.seed,
        every: Span((flags.every * 1e6) as i64),
        weights_g: if flags.weights.is_empty() { usual.weights_g.clone() } else { flags.weights },
        codes: flags.codes,
        labels_to: flags.labels,
        ..usual
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => Ok(Answer::Yes),
            ended = listen(kind, place, options, |line| drop(screen::print(&(line + "\n")))) => { ended?; Ok(Answer::Yes) }
        }
    })
}
