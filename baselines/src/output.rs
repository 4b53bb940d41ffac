//! Output files that appear whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::BaselineError;

/// A file that takes its name only when it is complete: a crash or a full disk leaves nothing half-written.
///
/// A device or a pipe cannot be replaced, so it is written to directly.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Replaced(tempfile::NamedTempFile),
    Direct(File),
}

impl OutputFile {
    /// Begins a file that will be called `path`.
    ///
    /// # Errors
    /// [`BaselineError::Write`] when the folder does not exist or may not be written to.
    pub fn create(path: &Path) -> Result<Self, BaselineError> {
        let fail = |cause: std::io::Error| write_error(path, &cause);
        if path.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let target = if is_special {
            Target::Direct(File::options().write(true).open(path).map_err(fail)?)
        } else {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let temporary = like_a_new_file(tempfile::Builder::new().prefix(".aftermath-"))
                .tempfile_in(folder.unwrap_or(Path::new(".")))
                // The message of the library names the temporary file, which nobody asked for.
                .map_err(|cause| fail(cause.kind().into()))?;
            Target::Replaced(temporary)
        };
        Ok(Self { path: path.to_owned(), target })
    }

    /// A second handle on the same open file, for a library that wants to own its writer.
    ///
    /// # Errors
    /// [`BaselineError::Write`] when the operating system refuses another handle.
    pub fn handle(&self) -> Result<File, BaselineError> {
        let file = match &self.target {
            Target::Replaced(temporary) => temporary.as_file(),
            Target::Direct(file) => file,
        };
        file.try_clone().map_err(|cause| write_error(&self.path, &cause))
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// [`BaselineError::Write`] when the last bytes do not fit or the name cannot be taken.
    pub fn finish(self) -> Result<(), BaselineError> {
        match self.target {
            Target::Direct(mut file) => file.flush().map_err(|cause| write_error(&self.path, &cause)),
            Target::Replaced(temporary) => {
                temporary.as_file().sync_all().map_err(|cause| write_error(&self.path, &cause))?;
                temporary
                    .persist(&self.path)
                    .map(drop)
                    .map_err(|refused| write_error(&self.path, &refused.error))
            }
        }
    }

    /// Writes all of `bytes` and gives the file its name.
    ///
    /// # Errors
    /// [`BaselineError::Write`].
    pub fn complete(self, bytes: &[u8]) -> Result<(), BaselineError> {
        self.handle()?.write_all(bytes).map_err(|cause| write_error(&self.path, &cause))?;
        self.finish()
    }

    /// Writes all of `bytes` to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`BaselineError::Write`].
    pub fn write_all(path: &Path, bytes: &[u8]) -> Result<(), BaselineError> {
        Self::create(path)?.complete(bytes)
    }
}

fn write_error(path: &Path, cause: &std::io::Error) -> BaselineError {
    BaselineError::Write { path: path.to_owned(), cause: cause.to_string() }
}

/// Temporary files are private to their owner; a report is meant to be read by others, as far as the umask allows.
#[cfg(unix)]
fn like_a_new_file<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn like_a_new_file<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_file_holds_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        OutputFile::write_all(&path, b"whole").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_file_that_is_never_finished_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let output = OutputFile::create(&folder.path().join("report.json")).unwrap();
        output.handle().unwrap().write_all(b"half").unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let refused = OutputFile::create(Path::new("/nowhere/at/all/report.json")).unwrap_err();
        assert!(refused.to_string().starts_with("cannot write /nowhere/at/all/report.json"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error() {
        let refused = OutputFile::write_all(Path::new("/dev/full"), b"anything").unwrap_err();
        assert!(refused.to_string().contains("No space left on device"), "{refused}");
    }
}
