//! A disk for tests that keeps only what was synced, runs full, and fails where it is told to.
#![allow(dead_code, reason = "each test uses its part")]

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use twin::journal::disk::{Disk, DiskFile};

/// What a disk writes at once or not at all.
pub const SECTOR: usize = 512;

/// Small, fast, repeatable chance.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n.max(1)
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

/// One file: what the disk holds for certain, and what was asked of it since.
#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// As a process sees it.
    now: Vec<u8>,
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            if bytes.len() < at + new.len() {
                bytes.resize(at + new.len(), 0);
            }
            bytes[*at..at + new.len()].copy_from_slice(new);
        }
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

#[derive(Clone, Debug)]
enum NameChange {
    Put(String, u64),
    Remove(String),
    Rename(String, String),
}

fn rename(names: &mut BTreeMap<String, u64>, change: &NameChange) {
    match change {
        NameChange::Put(name, inode) => drop(names.insert(name.clone(), *inode)),
        NameChange::Remove(name) => names.retain(|n, _| n != name && !is_in(n, name)),
        NameChange::Rename(from, to) => {
            let moved: Vec<String> = names.keys().filter(|n| *n == from || is_in(n, from)).cloned().collect();
            names.retain(|n, _| moved.is_empty() || (n != to && !is_in(n, to)));
            for old in moved {
                if let Some(inode) = names.remove(&old) {
                    names.insert(format!("{to}{}", &old[from.len()..]), inode);
                }
            }
        }
    }
}

fn is_in(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder whose names a change touches.
fn folder_of(change: &NameChange) -> &str {
    let (NameChange::Put(name, _) | NameChange::Remove(name) | NameChange::Rename(name, _)) = change;
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[derive(Debug, Default)]
pub struct State {
    inodes: BTreeMap<u64, Inode>,
    next: u64,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    names: BTreeMap<String, u64>,
    locked: BTreeSet<String>,
    /// Operations so far, and the one at which the power goes.
    pub operations: u64,
    pub cut_at: Option<u64>,
    /// So many bytes may still be written.
    pub room: Option<u64>,
    /// The next sync fails.
    pub sync_fails: bool,
    /// The sync that is left out, to see a test fail: `sync_folder`, or the end of a file's name.
    pub left_out: Option<&'static str>,
    pub syncs: u64,
    pub bytes_read: u64,
}

/// Clones share the same platters.
#[derive(Clone, Default)]
pub struct CutDisk(pub Arc<Mutex<State>>);

struct CutFile {
    disk: CutDisk,
    inode: u64,
    path: String,
}

fn power() -> io::Error {
    io::Error::other("the power is gone")
}

impl CutDisk {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }

    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.operations += 1;
        match state.cut_at {
            Some(at) if state.operations >= at => Err(power()),
            _ => Ok(state),
        }
    }

    /// The disk as the next start finds it after the power was cut now: what was synced, and of the rest whatever happened
    /// to be written: each sector of each write on its own, names in any number from the oldest on.
    pub fn after_a_cut(&self, dice: &mut Dice) -> CutDisk {
        let state = self.state();
        let mut fresh = State { next: state.next, ..State::default() };
        let mut names = state.durable_names.clone();
        let kept = dice.below(state.pending_names.len() as u64 + 1) as usize;
        state.pending_names.iter().take(kept).for_each(|change| rename(&mut names, change));
        for (number, inode) in &state.inodes {
            let mut bytes = inode.durable.clone();
            // All, nothing, a beginning, or any sectors.
            let mood = dice.below(4);
            for change in &inode.pending {
                match change {
                    Change::Length(_) if mood == 1 || (mood > 1 && dice.one_in(2)) => {}
                    Change::Length(_) => apply(&mut bytes, change),
                    Change::Write { at, bytes: new } => {
                        let torn = dice.below(new.len() as u64 + 1) as usize;
                        let mut start = 0;
                        while start < new.len() {
                            let end = new.len().min(((at + start) / SECTOR + 1) * SECTOR - at);
                            let written = match mood {
                                0 => true,
                                1 => false,
                                2 => end <= torn,
                                _ => dice.one_in(2),
                            };
                            if written {
                                apply(&mut bytes, &Change::Write { at: at + start, bytes: new[start..end].to_vec() });
                            }
                            start = end;
                        }
                    }
                }
            }
            if names.values().any(|n| n == number) {
                fresh.inodes.insert(*number, Inode { durable: bytes.clone(), pending: Vec::new(), now: bytes });
            }
        }
        fresh.durable_names = names.clone();
        fresh.names = names;
        CutDisk(Arc::new(Mutex::new(fresh)))
    }

    /// The disk as the next process finds it after the death of the one before.
    pub fn after_a_kill(&self) -> CutDisk {
        let state = self.state();
        let inodes =
            state.inodes.iter().map(|(n, i)| (*n, Inode { durable: i.now.clone(), pending: Vec::new(), now: i.now.clone() })).collect();
        let fresh = State { next: state.next, inodes, durable_names: state.names.clone(), names: state.names.clone(), ..State::default() };
        CutDisk(Arc::new(Mutex::new(fresh)))
    }

    /// Every file's content.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().filter_map(|(name, inode)| Some((name.clone(), state.inodes.get(inode)?.now.clone()))).collect()
    }

    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let inode = state.names[name];
        state.inodes.insert(inode, Inode { durable: bytes.clone(), pending: Vec::new(), now: bytes });
    }
}

impl Disk for CutDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let state = self.state();
        Ok(state.names.keys().filter_map(|n| n.strip_prefix(&prefix)).filter(|n| !n.contains('/')).map(str::to_owned).collect())
    }
    fn make_folder(&self, _: &str) -> io::Result<()> {
        self.step().map(drop)
    }
    fn exists(&self, path: &str) -> io::Result<bool> {
        Ok(self.state().names.keys().any(|n| n == path || is_in(n, path)))
    }
    fn read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        match self.state().names.get(path) {
            Some(inode) => Ok(Arc::new(CutFile { disk: self.clone(), inode: *inode, path: path.into() })),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn write(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.step()?;
        let inode = match state.names.get(path) {
            Some(inode) => *inode,
            None => {
                state.next += 1;
                let inode = state.next;
                state.inodes.insert(inode, Inode::default());
                let change = NameChange::Put(path.into(), inode);
                rename(&mut state.names, &change);
                state.pending_names.push(change);
                inode
            }
        };
        Ok(Arc::new(CutFile { disk: self.clone(), inode, path: path.into() }))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.step()?;
        if !state.names.keys().any(|n| n == from || is_in(n, from)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let change = NameChange::Rename(from.into(), to.into());
        rename(&mut state.names, &change);
        state.pending_names.push(change);
        Ok(())
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.step()?;
        let change = NameChange::Remove(path.into());
        rename(&mut state.names, &change);
        state.pending_names.push(change);
        Ok(())
    }
    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let mut state = self.step()?;
        if state.left_out == Some("sync_folder") {
            return Ok(());
        }
        let state = &mut *state;
        let (synced, left): (Vec<_>, Vec<_>) = std::mem::take(&mut state.pending_names).into_iter().partition(|c| folder_of(c) == path);
        synced.iter().for_each(|change| rename(&mut state.durable_names, change));
        state.pending_names = left;
        Ok(())
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Any + Send + Sync>> {
        drop(self.write(path)?);
        Ok(Box::new(()))
    }
    fn is_locked(&self, _: &str) -> io::Result<bool> {
        Ok(false)
    }
}

impl DiskFile for CutFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().inodes[&self.inode].now.len() as u64)
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        let rest = state.inodes[&self.inode].now.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        state.bytes_read += n as u64;
        Ok(n)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.step()?;
        // A write on which the power or the room ends may have begun.
        let room = state.room.unwrap_or(u64::MAX);
        let written = bytes.len().min(room as usize);
        state.room = state.room.map(|room| room - written as u64);
        let change = Change::Write { at: offset as usize, bytes: bytes[..written].to_vec() };
        if let Some(inode) = state.inodes.get_mut(&self.inode) {
            apply(&mut inode.now, &change);
            inode.pending.push(change);
        }
        if written < bytes.len() { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.step()?;
        let change = Change::Length(length as usize);
        if let Some(inode) = state.inodes.get_mut(&self.inode) {
            apply(&mut inode.now, &change);
            inode.pending.push(change);
        }
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.step()?;
        state.syncs += 1;
        if std::mem::take(&mut state.sync_fails) {
            return Err(io::Error::from_raw_os_error(5));
        }
        if state.left_out.is_some_and(|end| self.path.ends_with(end)) {
            return Ok(());
        }
        if let Some(inode) = state.inodes.get_mut(&self.inode) {
            inode.durable = inode.now.clone();
            inode.pending.clear();
        }
        Ok(())
    }
}
