//! Where a simulated device's wire plugs in: what it sends waits here until a connection takes it away, and here it is
//! disturbed.
//!
//! One connection counts at a time; a newer one takes over. What is sent while nobody is connected is lost, as it is with
//! a real device. Never calls into a device while it holds its own lock.

use crate::luck::Luck;
use bytes::{Buf, BytesMut};
use drivers::ByteStream;
use drivers::wire::Dial;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that the in-memory wire holds in each direction: as little as a serial port's buffer.
const WIRE_BYTES: usize = 4 * 1024;
/// Bytes that a device keeps for a connection that does not read; what it sends beyond that is lost.
const OUT_BYTES_MAX: usize = 64 * 1024;
/// Bytes taken from the wire in one read.
const CHUNK_BYTES: usize = 4 * 1024;

/// The device's half of a wire. Clones are the same plug.
#[derive(Clone)]
pub struct Plug(Arc<Mutex<Socket>>);

struct Socket {
    out: BytesMut,
    waker: Option<Waker>,
    /// Counts connections; a task that serves an earlier one has to end.
    connection: u64,
    connected: bool,
    unplugged: bool,
    silent: bool,
    garble: usize,
    noise: Luck,
}

/// A simulated device, as its wire sees it.
pub trait FarEnd: Clone + Send + Sync + 'static {
    fn plug(&self) -> &Plug;
    /// A new connection: forget what the last one left half said.
    fn connected(&self);
    /// Bytes came in, cut anywhere.
    fn hear(&self, bytes: &[u8]);
}

/// What can be done to any simulated device.
pub trait Disturbed: FarEnd {
    /// `bytes` random bytes go out before the next thing that it says.
    fn garble(&self, bytes: usize) {
        self.plug().lock().garble += bytes;
    }

    /// Drops the connection; the next dial works again.
    fn hang_up(&self) {
        self.plug().lock().end();
    }

    /// While silent it hears, but what it says is lost.
    fn silent(&self, silent: bool) {
        self.plug().lock().silent = silent;
    }

    /// Drops the connection, and refuses new ones until it is plugged in again.
    fn unplug(&self, unplugged: bool) {
        let mut socket = self.plug().lock();
        socket.unplugged = unplugged;
        if unplugged {
            socket.end();
        }
    }
}

impl<D: FarEnd> Disturbed for D {}

impl Plug {
    pub(super) fn new(noise: Luck) -> Self {
        Plug(Arc::new(Mutex::new(Socket {
            out: BytesMut::new(),
            waker: None,
            connection: 0,
            connected: false,
            unplugged: false,
            silent: false,
            garble: 0,
            noise,
        })))
    }

    /// Sends what `write` appends, if anybody is connected.
    pub(super) fn send(&self, write: impl FnOnce(&mut BytesMut)) {
        let mut socket = self.lock();
        if !socket.connected || socket.silent || socket.out.len() > OUT_BYTES_MAX {
            return;
        }
        let garble = std::mem::take(&mut socket.garble).min(OUT_BYTES_MAX);
        if garble > 0 {
            let Socket { out, noise, .. } = &mut *socket;
            let start = out.len();
            out.resize(start + garble, 0);
            noise.fill(&mut out[start..]);
        }
        write(&mut socket.out);
        if let Some(waker) = socket.waker.take() {
            drop(socket);
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Socket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> u64 {
        let mut socket = self.lock();
        socket.end();
        socket.connected = true;
        socket.connection
    }

    /// Moves bytes until neither direction can go on; ready when this connection is over.
    fn poll_carry(&self, connection: u64, device: &impl FarEnd, stream: &mut (impl ByteStream + ?Sized), cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut stuck = false;
            let mut socket = self.lock();
            while socket.connection == connection && !socket.out.is_empty() && !stuck {
                match Pin::new(&mut *stream).poll_write(cx, &socket.out) {
                    Poll::Ready(Ok(0) | Err(_)) => socket.end(),
                    Poll::Ready(Ok(n)) => socket.out.advance(n),
                    Poll::Pending => stuck = true,
                }
            }
            if socket.connection != connection {
                return Poll::Ready(());
            }
            drop(socket);
            let mut space = [MaybeUninit::uninit(); CHUNK_BYTES];
            let mut chunk = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *stream).poll_read(cx, &mut chunk) {
                Poll::Ready(Ok(())) if !chunk.filled().is_empty() => device.hear(chunk.filled()),
                Poll::Ready(_) => {
                    let mut socket = self.lock();
                    if socket.connection == connection {
                        socket.end();
                    }
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    let mut socket = self.lock();
                    let nothing_new = socket.connection == connection && (stuck || socket.out.is_empty());
                    if nothing_new {
                        socket.waker = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl Socket {
    fn end(&mut self) {
        self.connection += 1;
        self.connected = false;
        self.out.clear();
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Lets `device` talk over `stream` until either side hangs up or another connection takes over.
pub async fn serve(device: impl FarEnd, mut stream: impl AsyncRead + AsyncWrite + Send + Unpin) {
    let plug = device.plug().clone();
    let connection = plug.connect();
    device.connected();
    std::future::poll_fn(|cx| plug.poll_carry(connection, &device, &mut stream, cx)).await;
}

/// The wire to a simulated device: each dial makes an in-memory stream and a task that serves its far end. Needs a tokio
/// runtime, of whichever kind.
pub fn dial_of(device: impl FarEnd) -> Dial {
    Arc::new(move || {
        let device = device.clone();
        Box::pin(async move {
            if device.plug().lock().unplugged {
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "unplugged"));
            }
            let (near, far) = tokio::io::duplex(WIRE_BYTES);
            tokio::spawn(serve(device, far));
            Ok(Box::new(near) as Box<dyn ByteStream>)
        })
    })
}
