//! The disk as the journal sees it: names below one folder, reads and writes at places, and three ways to make sure.
//!
//! Small, so that a test can put a disk here that keeps only what was synced, runs full, or fails.

use std::any::Any;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder and what lies in it. Paths are relative to it.
pub trait Disk: Send + Sync {
    /// Names in a folder, sorted; empty where there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    fn make_folder(&self, path: &str) -> io::Result<()>;
    /// Whether there is a file or folder of that name.
    fn exists(&self, path: &str) -> io::Result<bool>;
    /// Opens what is there, for reading alone.
    fn read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens for reading and writing, and makes it where it is not there.
    fn write(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Makes names in the folder durable.
    fn sync_folder(&self, path: &str) -> io::Result<()>;
    /// Holds the name for this process alone, until what it returns is dropped.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Any + Send + Sync>>;
    /// Whether some process holds it. Changes nothing.
    fn is_locked(&self, path: &str) -> io::Result<bool>;
}

pub trait DiskFile: Send + Sync {
    fn len(&self) -> io::Result<u64>;
    /// Reads up to the buffer's length; fewer bytes at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Makes the content durable, and the length with it.
    fn sync(&self) -> io::Result<()>;

    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|n| n == 0)
    }

    /// `length` bytes at `offset`, fewer where the file ends.
    fn bytes_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut read = 0;
        while read < length {
            match self.read_at(&mut bytes[read..], offset + read as u64)? {
                0 => break,
                n => read += n,
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// How often, and how far apart, a lock that is held is tried.
const LOCK_TRIES: u32 = 5;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(10);

/// A real folder. What it makes is for its owner's eyes only: folders 0700, files 0600.
#[derive(Clone, Debug)]
pub struct OsDisk(PathBuf);

impl OsDisk {
    pub fn at(root: &Path) -> Self {
        OsDisk(root.to_owned())
    }

    pub fn root(&self) -> &Path {
        &self.0
    }
}

impl Disk for OsDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.0.join(folder)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        let path = self.0.join(path);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        // Its own name must outlive a loss of power too.
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        self.0.join(path).try_exists()
    }

    fn read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(File::open(self.0.join(path))?))
    }

    fn write(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(self.0.join(path))?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.0.join(path);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        File::open(self.0.join(path))?.sync_all()
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(self.0.join(path))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(file)),
                // Somebody may only be looking whether it is held.
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
                Err(std::fs::TryLockError::Error(e)) => return Err(e),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn is_locked(&self, path: &str) -> io::Result<bool> {
        let file = match File::open(self.0.join(path)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(e),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(std::fs::TryLockError::WouldBlock) => Ok(true),
            Err(std::fs::TryLockError::Error(e)) => Err(e),
        }
    }
}

/// A folder of another disk as a disk of its own.
#[derive(Clone)]
pub struct Below {
    pub disk: Arc<dyn Disk>,
    pub folder: String,
}

impl Below {
    fn path(&self, path: &str) -> String {
        if path.is_empty() { self.folder.clone() } else { format!("{}/{path}", self.folder) }
    }
}

impl Disk for Below {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(&self.path(folder))
    }
    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.disk.make_folder(&self.path(path))
    }
    fn exists(&self, path: &str) -> io::Result<bool> {
        self.disk.exists(&self.path(path))
    }
    fn read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.read(&self.path(path))
    }
    fn write(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.write(&self.path(path))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(&self.path(from), &self.path(to))
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(&self.path(path))
    }
    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.disk.sync_folder(&self.path(path))
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.disk.lock(&self.path(path))
    }
    fn is_locked(&self, path: &str) -> io::Result<bool> {
        self.disk.is_locked(&self.path(path))
    }
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        self.metadata().map(|m| m.len())
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
