//! The folder of a site that keeps nothing. It goes when the site ends; one whose site was killed is removed by the next
//! that starts. Never touches a folder that somebody holds, or that belongs to another user.

use anyhow::Context;
use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use twin::journal::disk::OsDisk;
use twin::journal::folder::Folder;

const PREFIX: &str = "parceltwin-live-";

/// Removed when dropped; held until then.
pub struct Temporary {
    path: PathBuf,
    _held: File,
}

impl Temporary {
    /// Makes one among the machine's temporary folders, and removes those of killed sites.
    pub fn make() -> anyhow::Result<Self> {
        Self::make_in(&std::env::temp_dir()).context("cannot make a temporary folder")
    }

    fn make_in(parent: &Path) -> std::io::Result<Self> {
        // It gets its name once it is held, so that nobody takes it for a killed site's.
        let new = tempfile::Builder::new().prefix("parceltwin-new-").permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
        let held = File::open(new.path())?;
        held.try_lock()?;
        let chance = new.path().file_name().and_then(|n| n.to_str()).unwrap_or_default().trim_start_matches("parceltwin-new-").to_owned();
        let path = parent.join(format!("{PREFIX}{chance}"));
        std::fs::rename(new.path(), &path)?;
        // Its old name is not there any more.
        let _ = new.keep();
        let owner = held.metadata()?.uid();
        let temporary = Temporary { path, _held: held };
        for left in left_behind(parent, owner)? {
            match std::fs::remove_dir_all(&left) {
                Ok(()) => tracing::info!("removed {}, which a killed site left behind", left.display()),
                Err(error) => tracing::warn!(%error, "{} was left behind by a killed site and cannot be removed", left.display()),
            }
        }
        Ok(temporary)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "{} cannot be removed", self.path.display());
        }
    }
}

/// Folders of sites that do not run: neither they nor their journals are held by anybody.
fn left_behind(parent: &Path, owner: u32) -> std::io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // One that goes while we look is no news.
        let Some(metadata) = entry.metadata().ok().filter(|m| ours && m.is_dir() && m.uid() == owner) else { continue };
        let (path, _) = (entry.path(), metadata);
        let free = File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok());
        if free && matches!(Folder::is_held(&OsDisk::at(&path)), Ok(false)) {
            left.push(path);
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::{PREFIX, Temporary};

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let runs = Temporary::make_in(parent.path()).unwrap();
        let killed = parent.path().join(format!("{PREFIX}killed"));
        std::fs::create_dir_all(killed.join("journal")).unwrap();
        let others = parent.path().join("somebody-elses");
        std::fs::create_dir(&others).unwrap();
        let file = parent.path().join(format!("{PREFIX}file"));
        std::fs::write(&file, "no folder").unwrap();
        let next = Temporary::make_in(parent.path()).unwrap();
        assert!(!killed.exists() && runs.path().exists() && next.path().exists() && others.exists() && file.exists());
        let path = runs.path().to_owned();
        drop(runs);
        assert!(!path.exists());
    }
}
