//! What a file is like from outside, by which a change is noticed without reading it.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Another one means that the file may say something else: it was written, another took its place, or
/// a link on the way to it leads elsewhere. `None`: there is no file that could be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(Option<[i64; 7]>);

impl Stamp {
    /// Follows links, and waits for the disk.
    pub fn of(path: &Path) -> Self {
        Self(metadata(path).ok().map(|file| {
            [
                file.dev().cast_signed(),
                file.ino().cast_signed(),
                file.size().cast_signed(),
                file.mtime(),
                file.mtime_nsec(),
                // Whoever sets the time of the last writing back, as rsync does, cannot set this one.
                file.ctime(),
                file.ctime_nsec(),
            ]
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_is_written_renamed_or_linked_to_is_another() {
        let name = format!("gateway-stamp-{:016x}", rand::random::<u64>());
        let folder = std::env::temp_dir().join(name);
        for data in ["one", "two"] {
            fs::create_dir_all(folder.join(data)).unwrap();
            fs::write(folder.join(data).join("secret"), "the same").unwrap();
        }
        let path = folder.join("secret");
        let mut seen = vec![Stamp::of(&path)];
        let mut next = || {
            seen.push(Stamp::of(&path));
            assert_ne!(seen[seen.len() - 2], seen[seen.len() - 1]);
        };
        fs::write(&path, "first").unwrap();
        next();
        fs::write(&path, "longer").unwrap();
        next();
        fs::write(folder.join("new"), "longer").unwrap();
        fs::rename(folder.join("new"), &path).unwrap();
        next();
        // As Kubernetes mounts a secret.
        symlink("one", folder.join("..data")).unwrap();
        symlink("..data/secret", folder.join("link")).unwrap();
        fs::rename(folder.join("link"), &path).unwrap();
        next();
        symlink("two", folder.join("..new")).unwrap();
        fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
        next();
        assert_eq!(Stamp::of(&path), Stamp::of(&path));
        fs::remove_dir_all(folder).unwrap();
    }
}
