//! A folder of files for one test, removed in the end.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::random_name;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self::within(std::env::temp_dir())
    }

    /// One that a private broker sees as well.
    pub(crate) fn for_broker() -> Self {
        Self::within(env!("CARGO_TARGET_TMPDIR").into())
    }

    fn within(parent: PathBuf) -> Self {
        let folder = Self(parent.join(format!("gateway-{}", random_name())));
        std::fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    /// Writes a file, and says where it is.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Puts another file in the place of one, as editors do.
    pub(crate) fn replace(&self, name: &str, content: impl AsRef<[u8]>) {
        let new = self.write(&format!("{name}.new"), content);
        std::fs::rename(new, self.path(name)).unwrap();
    }

    /// A mount as Kubernetes makes it: files that are links into a folder, which is itself a link that
    /// another takes the place of when anything in it changes.
    pub(crate) fn mount(&self, files: &[(&str, &str)]) {
        let data = format!("..{}", random_name());
        std::fs::create_dir(self.0.join(&data)).unwrap();
        for (name, content) in files {
            std::fs::write(self.0.join(&data).join(name), content).unwrap();
            if !self.0.join(name).is_symlink() {
                symlink(format!("..data/{name}"), self.0.join(name)).unwrap();
            }
        }
        symlink(&data, self.0.join("..data.new")).unwrap();
        std::fs::rename(self.0.join("..data.new"), self.0.join("..data")).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.0.join(name)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
