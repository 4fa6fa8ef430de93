//! How large a picture is, as people see it, from the first bytes of its file. Nothing is decoded.

use std::io::Cursor;

/// In pixels, turned as the picture is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    pub width: i32,
    pub height: i32,
}

/// `None` when these bytes do not tell.
pub(super) fn size(head: &[u8]) -> Option<PictureSize> {
    let size = imagesize::blob_size(head).ok()?;
    let side = |pixels: usize| i32::try_from(pixels).ok().filter(|side| *side > 0);
    let (width, height) = (side(size.width)?, side(size.height)?);
    let (width, height) = if lies_on_its_side(head) { (height, width) } else { (width, height) };
    Some(PictureSize { width, height })
}

/// A camera stores what its sensor saw, and beside it how it was held.
fn lies_on_its_side(head: &[u8]) -> bool {
    let told = exif::Reader::new().read_from_container(&mut Cursor::new(head));
    let orientation = told.ok().and_then(|told| {
        told.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?.value.get_uint(0)
    });
    // The four of the eight that turn by a quarter.
    orientation.is_some_and(|orientation| (5..=8).contains(&orientation))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";

    /// A JPEG of 640 x 480 up to where it says so, with this orientation and so much of other things before.
    fn jpeg(orientation: u8, other: usize) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
        let mut file = vec![0xFF, 0xD8];
        let mut segment = |marker: u8, body: &[u8]| {
            file.extend_from_slice(&[0xFF, marker]);
            file.extend_from_slice(&u16::try_from(body.len() + 2).unwrap().to_be_bytes());
            file.extend_from_slice(body);
        };
        segment(0xE1, &exif);
        for _ in 0..other / 60_000 {
            segment(0xE2, &vec![0; 60_000]);
        }
        segment(0xC0, &[8, 0x01, 0xE0, 0x02, 0x80, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        segment(0xDA, &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 0x3F, 0]);
        file
    }

    #[test]
    fn a_picture_tells_how_large_it_is() {
        let size_of = |file: &[u8]| size(file).map(|size| (size.width, size.height));
        assert_eq!(size_of(PNG), Some((640, 480)));
        assert_eq!(size_of(&jpeg(1, 0)), Some((640, 480)));
        assert_eq!(size_of(&jpeg(1, 180_000)), Some((640, 480)), "behind a small copy of itself");
        assert_eq!(size_of(b"GIF89a\x80\x02\xe0\x01\0\0\0"), Some((640, 480)));
    }

    #[test]
    fn one_taken_with_the_camera_held_upright_is_shown_upright() {
        for (orientation, expected) in [(3, (640, 480)), (6, (480, 640)), (8, (480, 640))] {
            let size = size(&jpeg(orientation, 0)).unwrap();
            assert_eq!((size.width, size.height), expected, "orientation {orientation}");
        }
    }

    #[test]
    fn what_is_no_picture_or_ends_early_has_no_size() {
        let upright = jpeg(6, 0);
        for bytes in [b"".as_slice(), b"%PDF-1.4", &PNG[..12], &upright[..40]] {
            assert_eq!(size(bytes), None);
        }
        let mut nothing = PNG.to_vec();
        nothing[16..20].fill(0);
        assert_eq!(size(&nothing), None, "a picture without width is none");
    }
}
