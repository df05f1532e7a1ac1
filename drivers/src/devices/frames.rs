//! A byte wire cut into frames: what is read goes through a codec, what is to be written waits in `out`.
//!
//! Reading and writing go on side by side, so two ends that both have much to say cannot block each other. Never keeps
//! more than [`OUT_BYTES_MAX`] unwritten bytes, and never more unread ones than one chunk and one frame. Never flushes:
//! on a serial port that would wait for the last bit to leave, and none of our streams buffers.

use crate::wire::ByteStream;
use bytes::{Buf, BytesMut};
use smol_str::SmolStr;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::ReadBuf;
use tokio_util::codec::Decoder;

/// Bytes that may wait for a far end that does not read, before it is given up.
pub const OUT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes taken from the wire in one read.
const CHUNK_BYTES: usize = 1024;

/// What a codec makes of the bytes: a frame of its protocol, or bytes that were none and have been skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<F> {
    Frame(F),
    Garbage(usize),
}

/// Why a wire is given up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireLost {
    #[error("the device hung up")]
    HungUp,
    #[error("cannot read: {0}")]
    Read(String),
    #[error("cannot write: {0}")]
    Write(String),
    #[error("the device takes no data: over {OUT_BYTES_MAX} bytes wait")]
    Clogged,
}

impl From<WireLost> for SmolStr {
    fn from(lost: WireLost) -> SmolStr {
        smol_str::format_smolstr!("{lost}")
    }
}

/// One connection. Both ends of a wire may use it, each with its own codec.
pub struct Frames<C> {
    stream: Box<dyn ByteStream>,
    codec: C,
    inbox: BytesMut,
    /// Bytes to be written; append to it, the next [`Frames::next`] sends them.
    pub out: BytesMut,
}

impl<F, C: Decoder<Item = Heard<F>, Error = std::io::Error>> Frames<C> {
    pub fn new(stream: Box<dyn ByteStream>, codec: C) -> Self {
        Frames { stream, codec, inbox: BytesMut::new(), out: BytesMut::new() }
    }

    /// Sends what waits and returns the next frame. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Result<Heard<F>, WireLost> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// See [`Frames::next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard<F>, WireLost>> {
        self.write_some(cx)?;
        loop {
            match self.codec.decode(&mut self.inbox) {
                Ok(Some(heard)) => return Poll::Ready(Ok(heard)),
                Ok(None) => std::task::ready!(self.poll_read(cx))?,
                Err(e) => return Poll::Ready(Err(WireLost::Read(e.to_string()))),
            }
        }
    }

    fn write_some(&mut self, cx: &mut Context<'_>) -> Result<(), WireLost> {
        while !self.out.is_empty() {
            match Pin::new(&mut *self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Err(WireLost::HungUp),
                Poll::Ready(Ok(n)) => self.out.advance(n),
                Poll::Ready(Err(e)) => return Err(WireLost::Write(e.to_string())),
                Poll::Pending if self.out.len() > OUT_BYTES_MAX => return Err(WireLost::Clogged),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireLost>> {
        let mut space = [MaybeUninit::uninit(); CHUNK_BYTES];
        let mut chunk = ReadBuf::uninit(&mut space);
        match std::task::ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut chunk)) {
            Ok(()) if chunk.filled().is_empty() => Poll::Ready(Err(WireLost::HungUp)),
            Ok(()) => {
                self.inbox.extend_from_slice(chunk.filled());
                Poll::Ready(Ok(()))
            }
            Err(e) => Poll::Ready(Err(WireLost::Read(e.to_string()))),
        }
    }
}
