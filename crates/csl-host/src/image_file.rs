//! Reads the image in the output folder of a compilation.

use std::path::Path;

use csl_image::Image;

use crate::error::{FolderError, HostError};
use crate::outdir::IMAGE_FILE;

/// The image in the output folder of a compilation.
///
/// # Errors
/// [`HostError::NoProgram`] with the reason.
pub fn read_image(folder: &Path) -> Result<Image, HostError> {
    image_in(folder).map_err(|cause| HostError::NoProgram { folder: folder.to_owned(), cause })
}

fn image_in(folder: &Path) -> Result<Image, FolderError> {
    if folder.is_file() {
        return Err(FolderError::IsFile);
    }
    if !folder.is_dir() {
        return Err(FolderError::Missing);
    }
    let path = folder.join(IMAGE_FILE);
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FolderError::NotCompiled,
        _ => FolderError::Unreadable(error),
    };
    // A pipe or a device might never end.
    if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(FolderError::NotAFile);
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    Ok(Image::read(&bytes)?)
}
