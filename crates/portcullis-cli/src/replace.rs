//! Replaces a file's content, whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `content` beside the file and puts it in the file's place.
///
/// A link stays a link: what it leads to is replaced. Permissions are kept. Who has the old
/// content open or mapped keeps it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        // Its folder may let it be replaced all the same, which is not what its owner wants.
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file may not be written to",
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(without_path)?;
    file.write_all(content)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// As [`replace`], but a file that is not there is made.
pub(crate) fn replace_or_create(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.exists() {
        return replace(path, content);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: less what the user's mask takes away.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = file.tempfile_in(folder).map_err(without_path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// Leaves the name of the file away that was to be renamed: nobody gave it, and it is not there.
fn without_path(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ (io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem) => kind.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "before").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            let link = folder.path().join("link");
            symlink("file", &link).unwrap();
            replace(&link, b"through the link").unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::read_to_string(&file).unwrap(), "through the link");
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o640
            );
            fs::remove_file(link).unwrap();
        }
        replace(&file, b"after").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
    }

    #[test]
    fn an_error_names_no_file_that_nobody_gave() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace_or_create(&folder.path().join("none/image"), b"").unwrap_err();
        assert_eq!(error.to_string(), "entity not found");
    }

    #[test]
    fn a_file_that_may_not_be_written_to_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "before").unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        assert!(replace(&file, b"after").is_err());
        assert!(replace(&folder.path().join("none"), b"after").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    }
}
