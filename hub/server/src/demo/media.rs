//! The pictures and papers that people of the story send.

use bytes::Bytes;

const FILES: [(&str, &[u8]); 7] = [
    ("drawing", include_bytes!("media/drawing.jpg")),
    ("homework", include_bytes!("media/homework.jpg")),
    ("notebook", include_bytes!("media/notebook.jpg")),
    ("receipt", include_bytes!("media/receipt.jpg")),
    ("screenshot", include_bytes!("media/screenshot.jpg")),
    ("sticker", include_bytes!("media/sticker.webp")),
    ("paper", include_bytes!("media/paper.pdf")),
];

/// What the story calls by this name.
pub fn named(name: &str) -> Option<Bytes> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| Bytes::from_static(bytes))
}
