//! What can go wrong with a twin on disk, in words that say where it is, what it is, and what to do.

use crate::Key;

/// Why the disk could not do what it was asked. After any of these the process must stop: the disk is no longer trusted.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the twin at {path}: {why}")]
    Open { path: String, why: String },
    #[error("{path} holds no twin")]
    Absent { path: String },
    #[error("the twin at {path} is in use by another process")]
    Locked { path: String },
    #[error("{0}")]
    Damaged(Damage),
    #[error("failed to {what}: {why}")]
    Broken { what: &'static str, why: String },
}

/// Where the truth is damaged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, below the data folder.
    pub file: String,
    pub offset: u64,
    /// The first record that is not there any more, where that can be told.
    pub record: Option<u64>,
    pub why: String,
    pub remedy: Remedy,
}

/// What a person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Bring that one file back from a backup.
    Restore,
    /// What is broken stands at the very end and may never have been acknowledged: it can be given up.
    AcceptLoss,
    /// A newer program wrote it.
    Upgrade,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is damaged at byte {}", self.file, self.offset)?;
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        write!(f, ": {}. Nothing was changed. ", self.why)?;
        match self.remedy {
            Remedy::Restore => write!(
                f,
                "Bring {} back from a backup (`parceltwin twin restore`); what is whole before it can be read with `parceltwin twin log`",
                self.file
            ),
            Remedy::AcceptLoss => {
                write!(f, "Bring {} back from a backup, or give up what stands there with --accept-loss", self.file)
            }
            Remedy::Upgrade => write!(f, "Use the program that wrote it, or a newer one"),
        }
    }
}

/// What went wrong with a twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal is damaged at record {seq}: {why}")]
    Damaged { seq: u64, why: String },
    #[error("the state of {key} cannot be read: {why}")]
    BadState { key: Key, why: String },
    /// The live twin does not agree with the journal, and is to be made anew.
    #[error("the live twin does not agree with its journal: {why}")]
    Disagrees { why: String },
    #[error("{key} stands differently than its history says; rebuild the twin from its journal")]
    Diverged { key: Key },
}

impl TwinError {
    /// Whether it says that what was written is not what is there.
    pub fn is_damage(&self) -> bool {
        !matches!(
            self,
            TwinError::Store(StoreError::Open { .. } | StoreError::Absent { .. } | StoreError::Locked { .. } | StoreError::Broken { .. })
        )
    }
}

pub(crate) fn broken(what: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    move |e| StoreError::Broken { what, why: e.to_string() }
}
