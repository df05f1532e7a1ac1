//! The simulated label printer: takes ZPL formats (`^XA … ^XZ`), prints them while there is paper, and answers `~HS`.
//!
//! Printing takes no time here; how long a label takes is the floor's business. What it has received and not printed
//! survives a hang-up, as it does in a real one, which is how a label comes to be printed twice.

use super::plug::{FarEnd, Plug};
use crate::luck::Luck;
use bytes::{Buf, Bytes, BytesMut};
use drivers::devices::host_status::{Buffer, Head, Status, write_status};
use drivers::devices::zpl::{fields, unescaped};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Formats that wait for paper; when as many wait the buffer is full and more are lost.
const FORMATS_MAX: usize = 99;
/// The longest format in bytes; of a longer one the beginning is lost, and with it the label.
const FORMAT_BYTES_MAX: usize = 2 * 1024 * 1024;
const IDENTITY: &[u8] = b"\x02SIM ZT411-203dpi,V1.0.0,8,8192KB\x03\r\n";

/// Takes each label: which it is since the printer was made, from 1, and its ZPL. Called at once: must not block.
pub type OnPrinted = Arc<dyn Fn(u64, Bytes) + Send + Sync>;

/// A handle; clones are the same printer.
#[derive(Clone)]
pub struct SimPrinter {
    plug: Plug,
    works: Arc<Mutex<Works>>,
    on_printed: OnPrinted,
}

struct Works {
    inbox: BytesMut,
    /// Bytes of the inbox in which no end of a format was found.
    searched: usize,
    waiting: VecDeque<Bytes>,
    /// Labels left on the roll.
    labels_left: u64,
    head_open: bool,
    printed: u64,
}

impl SimPrinter {
    /// With a roll that never ends, until [`SimPrinter::paper`] says otherwise.
    pub fn new(luck: Luck, on_printed: OnPrinted) -> Self {
        let works =
            Works { inbox: BytesMut::new(), searched: 0, waiting: VecDeque::new(), labels_left: u64::MAX, head_open: false, printed: 0 };
        SimPrinter { plug: Plug::new(luck.branch("garble")), works: Arc::new(Mutex::new(works)), on_printed }
    }

    /// A new roll with so many labels; what waits is printed.
    pub fn paper(&self, labels: u64) {
        self.works().labels_left = labels;
        self.print();
    }

    /// The roll is empty.
    pub fn out_of_paper(&self) {
        self.works().labels_left = 0;
    }

    /// Opens or closes the head; nothing prints while it is open.
    pub fn head_open(&self, open: bool) {
        self.works().head_open = open;
        self.print();
    }

    fn works(&self) -> MutexGuard<'_, Works> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self) {
        loop {
            let (nth, label) = {
                let mut works = self.works();
                if works.labels_left == 0 || works.head_open {
                    return;
                }
                let Some(label) = works.waiting.pop_front() else { return };
                works.labels_left -= 1;
                works.printed += 1;
                (works.printed, label)
            };
            (self.on_printed)(nth, label);
        }
    }
}

/// What a printer is told.
enum Told {
    Format(Bytes),
    HostStatus,
    HostIdentification,
}

impl Works {
    fn next_told(&mut self) -> Option<Told> {
        loop {
            let begin = self.inbox.iter().position(|b| matches!(b, b'^' | b'~')).unwrap_or(self.inbox.len());
            self.inbox.advance(begin);
            let command = self.inbox.get(..3)?;
            match command {
                b"^XA" => return self.format().map(Told::Format),
                b"~HS" => {
                    self.inbox.advance(3);
                    return Some(Told::HostStatus);
                }
                b"~HI" => {
                    self.inbox.advance(3);
                    return Some(Told::HostIdentification);
                }
                _ => self.inbox.advance(1),
            }
        }
    }

    /// The format at the beginning of the inbox, once its end is there.
    fn format(&mut self) -> Option<Bytes> {
        let from = self.searched;
        match self.inbox[from..].windows(3).position(|end| end == b"^XZ") {
            Some(at) => {
                self.searched = 0;
                Some(self.inbox.split_to(from + at + 3).freeze())
            }
            None if self.inbox.len() > FORMAT_BYTES_MAX => {
                self.searched = 0;
                self.inbox.clear();
                None
            }
            None => {
                self.searched = self.inbox.len().saturating_sub(2);
                None
            }
        }
    }

    fn status(&self) -> Status {
        let buffer = Buffer {
            paper_out: self.labels_left == 0,
            formats: self.waiting.len() as u32,
            full: self.waiting.len() >= FORMATS_MAX,
            partial_format: !self.inbox.is_empty() && self.searched > 0,
            ..Buffer::default()
        };
        Status { buffer, head: Head { open: self.head_open, ..Head::default() } }
    }
}

impl FarEnd for SimPrinter {
    fn plug(&self) -> &Plug {
        &self.plug
    }

    fn connected(&self) {
        let mut works = self.works();
        works.inbox.clear();
        works.searched = 0;
    }

    fn hear(&self, bytes: &[u8]) {
        self.works().inbox.extend_from_slice(bytes);
        loop {
            let mut works = self.works();
            match works.next_told() {
                None => return,
                Some(Told::Format(format)) => {
                    if works.waiting.len() < FORMATS_MAX {
                        works.waiting.push_back(format);
                    }
                    drop(works);
                    self.print();
                }
                Some(Told::HostStatus) => {
                    let status = works.status();
                    self.plug.send(|out| write_status(out, &status));
                }
                Some(Told::HostIdentification) => self.plug.send(|out| out.extend_from_slice(IDENTITY)),
            }
        }
    }
}

/// The texts of a label's fields, in the order in which they stand.
pub fn field_texts(zpl: &str) -> Vec<String> {
    fields(zpl).iter().map(|field| unescaped(field.data.trim())).filter(|text| !text.is_empty()).collect()
}
