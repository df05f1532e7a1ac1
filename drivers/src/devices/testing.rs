//! What the tests of all codecs share. Never part of a build that runs.

use super::frames::Heard;
use bytes::BytesMut;
use proptest::prelude::*;
use tokio_util::codec::Decoder;

/// Random bytes, salted with the bytes that mean something to one of our protocols.
pub(super) fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let salt = proptest::sample::select(b"\r\n\x02\x03###00160SSDI4 A.-+g;*\"^XAZ,0".to_vec());
    proptest::collection::vec(prop_oneof![any::<u8>(), salt], 0..2_000)
}

pub(super) fn split_at(bytes: &[u8], cut: usize) -> [&[u8]; 2] {
    let (a, b) = bytes.split_at(cut.min(bytes.len()));
    [a, b]
}

/// Every frame that the codec finds, and how many bytes it skipped.
pub(super) fn decode_all<'a, F, C>(mut codec: C, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<F>, usize)
where
    C: Decoder<Item = Heard<F>, Error = std::io::Error>,
{
    let (mut frames, mut garbage) = (Vec::new(), 0);
    let mut inbox = BytesMut::new();
    for chunk in chunks {
        inbox.extend_from_slice(chunk);
        while let Some(heard) = codec.decode(&mut inbox).unwrap() {
            match heard {
                Heard::Frame(frame) => frames.push(frame),
                Heard::Garbage(n) => garbage += n,
            }
        }
    }
    (frames, garbage)
}

/// However the bytes are split, the same frames come out, the codec comes to an end each time, and keeps at most `kept_max` bytes.
pub(super) fn never_breaks<F, C>(codec: impl Fn() -> C, bytes: &[u8], kept_max: usize)
where
    F: PartialEq + std::fmt::Debug,
    C: Decoder<Item = Heard<F>, Error = std::io::Error>,
{
    let mut one_by_one = codec();
    let mut inbox = BytesMut::new();
    let mut frames = Vec::new();
    for byte in bytes {
        inbox.extend_from_slice(&[*byte]);
        let mut steps = 0;
        while let Some(heard) = one_by_one.decode(&mut inbox).unwrap() {
            steps += 1;
            assert!(steps <= kept_max + 2, "one byte gave {steps} frames");
            if let Heard::Frame(frame) = heard {
                frames.push(frame);
            }
        }
        assert!(inbox.len() <= kept_max, "{} bytes kept", inbox.len());
    }
    assert_eq!(frames, decode_all(codec(), [bytes]).0);
    assert_eq!(frames, decode_all(codec(), bytes.chunks(7)).0);
}
