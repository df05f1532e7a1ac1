//! Byte wires: where a device is, and the stream that reaches it.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// Anything that bytes go through in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A device's address: `serial:/dev/ttyUSB0?baud=9600`, `tcp:10.0.0.5:2001`, `sim:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WireAddress {
    Serial { path: String, baud: u32 },
    Tcp { address: String },
    Sim,
}

/// Why a device address cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a device address: {why} (try serial:/dev/ttyUSB0?baud=9600, tcp:10.0.0.5:2001 or sim:)")]
pub struct BadAddress {
    pub text: String,
    pub why: String,
}

const BAUD_DEFAULT: u32 = 9_600;

impl FromStr for WireAddress {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = |why: &str| BadAddress { text: text.into(), why: why.into() };
        let (scheme, rest) = text.split_once(':').ok_or_else(|| bad("it has no scheme"))?;
        match scheme {
            "sim" => Ok(WireAddress::Sim),
            "tcp" => match rest.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(WireAddress::Tcp { address: rest.into() }),
                _ => Err(bad("tcp needs HOST:PORT")),
            },
            "serial" => {
                let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
                if path.is_empty() {
                    return Err(bad("serial needs a path"));
                }
                let mut baud = BAUD_DEFAULT;
                for pair in query.split('&').filter(|p| !p.is_empty()) {
                    match pair.split_once('=') {
                        Some(("baud", n)) => baud = n.parse().map_err(|_| bad("baud is not a number"))?,
                        _ => return Err(bad("the only option is baud=N")),
                    }
                }
                Ok(WireAddress::Serial { path: path.into(), baud })
            }
            _ => Err(bad("the scheme is none of serial, tcp, sim")),
        }
    }
}

impl TryFrom<String> for WireAddress {
    type Error = BadAddress;
    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<WireAddress> for String {
    fn from(address: WireAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for WireAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireAddress::Serial { path, baud } => write!(f, "serial:{path}?baud={baud}"),
            WireAddress::Tcp { address } => write!(f, "tcp:{address}"),
            WireAddress::Sim => f.write_str("sim:"),
        }
    }
}

/// Opens a fresh stream to one device, as often as it is asked: each call is one attempt to connect.
pub type Dial = Arc<dyn Fn() -> BoxFuture<'static, std::io::Result<Box<dyn ByteStream>>> + Send + Sync>;

/// How to reach a real device. `sim:` has no real far end and is refused here.
pub fn dial(address: &WireAddress) -> Result<Dial, BadAddress> {
    match address.clone() {
        WireAddress::Tcp { address } => Ok(Arc::new(move || {
            let address = address.clone();
            Box::pin(async move {
                let stream = tokio::net::TcpStream::connect(&address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn ByteStream>)
            })
        })),
        WireAddress::Serial { path, baud } => Ok(Arc::new(move || {
            let path = path.clone();
            Box::pin(async move {
                let port = tokio_serial::SerialStream::open(&tokio_serial::new(path, baud))?;
                Ok(Box::new(port) as Box<dyn ByteStream>)
            })
        })),
        WireAddress::Sim => {
            Err(BadAddress { text: "sim:".into(), why: "a simulated device is wired by the simulation, not dialled".into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written() {
        for text in ["serial:/dev/ttyUSB0?baud=19200", "tcp:10.0.0.5:2001", "tcp:[::1]:9100", "sim:"] {
            assert_eq!(text.parse::<WireAddress>().unwrap().to_string(), text);
        }
        for text in ["", "udp:1", "tcp:host", "tcp::1", "serial:", "serial:/dev/x?parity=even"] {
            let error = text.parse::<WireAddress>().unwrap_err();
            assert!(error.to_string().contains("try serial:"), "{error}");
        }
    }
}
