//! Small real files for clients to send: pictures and videos that decode, sound that plays as silence, a document
//! that opens.
//!
//! Nothing here is a codec: each function writes the least a reader of the format accepts. `number` makes two files
//! of one kind differ in bytes.

use bytes::Bytes;

use crate::faults::Chance;

/// The scan of a JPEG. Only the mean of each block is ever written, so the order of coefficients plays no part.
struct BitWriter {
    bytes: Vec<u8>,
    bits: u32,
    count: u32,
}

impl BitWriter {
    fn write(&mut self, value: u32, length: u32) {
        for position in (0..length).rev() {
            self.bits = (self.bits << 1) | ((value >> position) & 1);
            self.count += 1;
            if self.count == 8 {
                self.push();
            }
        }
    }

    fn push(&mut self) {
        let byte = self.bits as u8;
        self.bytes.push(byte);
        if byte == 0xFF {
            // A 0xFF inside the scan is followed by a stuffed zero.
            self.bytes.push(0);
        }
        (self.bits, self.count) = (0, 0);
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.write(1, 1);
        }
        self.bytes
    }
}

/// Codes of the twelve size categories of a DC difference: the standard luminance table (length, code).
const DC_CODES: [(u32, u32); 12] = [
    (2, 0b00),
    (3, 0b010),
    (3, 0b011),
    (3, 0b100),
    (3, 0b101),
    (3, 0b110),
    (4, 0b1110),
    (5, 0b1_1110),
    (6, 0b11_1110),
    (7, 0b111_1110),
    (8, 0b1111_1110),
    (9, 0b1_1111_1110),
];

/// A colour picture of 8x8 tiles.
pub(crate) fn jpeg(width: u16, height: u16, number: u64) -> Bytes {
    let mut file = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8]| {
        file.extend_from_slice(&[0xFF, marker]);
        file.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        file.extend_from_slice(body);
    };
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(0xFE, format!("simulated picture {number}").as_bytes());
    let mut quantisation = vec![0_u8];
    quantisation.extend_from_slice(&[8; 64]);
    segment(0xDB, &quantisation);
    let mut frame = vec![8];
    frame.extend_from_slice(&height.to_be_bytes());
    frame.extend_from_slice(&width.to_be_bytes());
    frame.extend_from_slice(&[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    segment(0xC0, &frame);
    let mut huffman = vec![0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    huffman.extend(0..12_u8);
    segment(0xC4, &huffman);
    // The only AC symbol is "end of block", one bit long.
    segment(0xC4, &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    segment(0xDA, &[3, 1, 0x00, 2, 0x00, 3, 0x00, 0, 63, 0]);

    let mut chance = Chance::seeded(number);
    let tint = [0, (chance.next_u64() % 200) as i32 - 100, (chance.next_u64() % 200) as i32 - 100];
    let mut scan = BitWriter { bytes: Vec::new(), bits: 0, count: 0 };
    let (columns, rows) = (u32::from(width).div_ceil(8), u32::from(height).div_ceil(8));
    let mut previous = [0_i32; 3];
    for row in 0..rows {
        for column in 0..columns {
            let shade = ((row + column) * 120 / (rows + columns).max(1)) as i32 - 60
                + (chance.next_u64() % 9) as i32;
            let values = [shade, tint[1], tint[2]];
            for (value, before) in values.iter().zip(previous.iter_mut()) {
                let difference = value - *before;
                *before = *value;
                let category = 32 - difference.unsigned_abs().leading_zeros();
                let (length, code) = DC_CODES[category as usize];
                scan.write(code, length);
                let magnitude = if difference < 0 { difference - 1 } else { difference };
                scan.write(magnitude as u32 & ((1 << category) - 1), category);
                scan.write(0, 1);
            }
        }
    }
    file.extend_from_slice(&scan.finish());
    file.extend_from_slice(&[0xFF, 0xD9]);
    file.into()
}

/// An Ogg page; the checksum of the format is a CRC-32 without reflection.
fn ogg_page(kind: u8, granule: u64, sequence: u32, packets: &[&[u8]]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(kind);
    page.extend_from_slice(&granule.to_le_bytes());
    page.extend_from_slice(&0x5355_u32.to_le_bytes());
    page.extend_from_slice(&sequence.to_le_bytes());
    page.extend_from_slice(&[0; 4]);
    page.push(packets.len() as u8);
    page.extend(packets.iter().map(|packet| packet.len() as u8));
    for packet in packets {
        page.extend_from_slice(packet);
    }
    let mut crc = 0_u32;
    for byte in &page {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { (crc << 1) ^ 0x04C1_1DB7 };
        }
    }
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

/// Seconds of Opus silence in Ogg, as a voice note is.
pub(crate) fn ogg_opus(seconds: u32, number: u64) -> Bytes {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&312_u16.to_le_bytes());
    head.extend_from_slice(&48_000_u32.to_le_bytes());
    head.extend_from_slice(&[0, 0, 0]);
    let comment = format!("simulated {number}");
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(&(comment.len() as u32).to_le_bytes());
    tags.extend_from_slice(comment.as_bytes());
    tags.extend_from_slice(&0_u32.to_le_bytes());

    let mut file = ogg_page(2, 0, 0, &[&head]);
    file.extend(ogg_page(0, 0, 1, &[&tags]));
    let silence: [&[u8]; 50] = [&[0xF8, 0xFF, 0xFE]; 50];
    for second in 1..=seconds.clamp(1, 600) {
        let last = if second == seconds { 4 } else { 0 };
        file.extend(ogg_page(last, u64::from(second) * 48_000, second + 1, &silence));
    }
    file.into()
}

/// Seconds of silence as MPEG layer III frames behind an empty ID3 tag.
pub(crate) fn mp3(seconds: u32, number: u64) -> Bytes {
    let mut file = b"ID3\x04\0\0\0\0\0\x0A".to_vec();
    file.extend_from_slice(&[0; 10]);
    let mut frame = vec![0_u8; 417];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x64]);
    for _ in 0..(seconds.clamp(1, 30) * 38) {
        file.extend_from_slice(&frame);
    }
    file.extend_from_slice(&number.to_be_bytes());
    file.into()
}

/// Exp-Golomb code of H.264 headers.
fn exp_golomb(bits: &mut Vec<bool>, value: u32) {
    let code = value + 1;
    let length = 32 - code.leading_zeros();
    push_bits(bits, 0, length - 1);
    push_bits(bits, code, length);
}

fn push_bits(bits: &mut Vec<bool>, value: u32, length: u32) {
    bits.extend((0..length).rev().map(|position| (value >> position) & 1 == 1));
}

/// Packs bits, the first being the highest, and pads with zeros.
fn packed(bits: &[bool]) -> Vec<u8> {
    let byte = |chunk: &[bool]| {
        chunk.iter().enumerate().fold(0_u8, |byte, (at, bit)| byte | (u8::from(*bit) << (7 - at)))
    };
    bits.chunks(8).map(byte).collect()
}

/// The unit's payload with the bytes that keep start codes from appearing inside.
fn nal_unit(header: u8, payload: &[u8]) -> Vec<u8> {
    let mut unit = vec![header];
    let mut zeros = 0;
    for byte in payload {
        if zeros >= 2 && *byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        unit.push(*byte);
    }
    unit
}

/// A key frame of macroblocks stored as they are (I_PCM), each of one shade.
fn key_frame(columns: u32, rows: u32, second: u32, chance: &mut Chance) -> Vec<u8> {
    let mut bits = Vec::new();
    exp_golomb(&mut bits, 0); // first macroblock
    exp_golomb(&mut bits, 7); // intra slices only
    exp_golomb(&mut bits, 0); // picture parameter set
    push_bits(&mut bits, 0, 4); // frame number
    exp_golomb(&mut bits, second % 2); // two key frames in a row differ in this
    push_bits(&mut bits, 0, 2); // reference marking
    exp_golomb(&mut bits, 0); // quantiser change
    let tint = [64 + (chance.next_u64() % 128) as u8, 64 + (chance.next_u64() % 128) as u8];
    let mut payload = Vec::new();
    for block in 0..columns * rows {
        exp_golomb(&mut bits, 25); // I_PCM
        payload.extend(packed(&bits));
        bits.clear();
        let shade = 40 + ((block * 150 / (columns * rows) + second * 20) % 180) as u8;
        payload.extend(std::iter::repeat_n(shade, 256));
        payload.extend(std::iter::repeat_n(tint[0], 64));
        payload.extend(std::iter::repeat_n(tint[1], 64));
    }
    payload.push(0x80);
    nal_unit(0x65, &payload)
}

fn parameter_sets(columns: u32, rows: u32) -> (Vec<u8>, Vec<u8>) {
    let mut bits = Vec::new();
    push_bits(&mut bits, 0x42_C0_1E, 24); // constrained baseline, level 3
    for value in [0, 0, 2, 0] {
        exp_golomb(&mut bits, value); // id, frame numbers of 4 bits, output in order, no references
    }
    push_bits(&mut bits, 0, 1);
    exp_golomb(&mut bits, columns - 1);
    exp_golomb(&mut bits, rows - 1);
    push_bits(&mut bits, 0b1_1001, 5); // frames only, direct inference, no cropping, no usability data, end
    let sequence = nal_unit(0x67, &packed(&bits));

    bits.clear();
    exp_golomb(&mut bits, 0);
    exp_golomb(&mut bits, 0);
    push_bits(&mut bits, 0, 2); // variable-length codes
    for value in [0, 0, 0] {
        exp_golomb(&mut bits, value); // one slice group, default references
    }
    push_bits(&mut bits, 0, 3);
    for value in [0, 0, 0] {
        exp_golomb(&mut bits, value); // quantisers
    }
    push_bits(&mut bits, 0b0001, 4); // no extras, end
    (sequence, nal_unit(0x68, &packed(&bits)))
}

fn mp4_box(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut whole = (length as u32 + 8).to_be_bytes().to_vec();
    whole.extend_from_slice(kind.as_bytes());
    for part in parts {
        whole.extend_from_slice(part);
    }
    whole
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// A silent video of coloured tiles, one picture a second for up to five, the last one staying.
pub(crate) fn mp4(width: u32, height: u32, seconds: u32, number: u64) -> Bytes {
    const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
    let seconds = seconds.max(1);
    // About 100 pixels on the longer side are enough to see something.
    let longest = width.max(height).max(1);
    let tiles = |pixels: u32| (pixels * 7).div_ceil(longest).clamp(1, 7);
    let (columns, rows) = (tiles(width), tiles(height));
    let (sequence, picture) = parameter_sets(columns, rows);
    let mut chance = Chance::seeded(number);
    let count = seconds.min(5);
    let mut data = Vec::new();
    let mut sizes = Vec::new();
    for second in 0..count {
        let frame = key_frame(columns, rows, second, &mut chance);
        data.extend_from_slice(&words(&[frame.len() as u32]));
        data.extend_from_slice(&frame);
        sizes.push(frame.len() as u32 + 4);
    }

    let start = mp4_box("ftyp", &[b"isom\0\0\x02\0isomiso2avc1mp41"]);
    let avcc = [
        &[1, sequence[1], sequence[2], sequence[3], 0xFF, 0xE1, 0, sequence.len() as u8],
        sequence.as_slice(),
        &[1, 0, picture.len() as u8],
        &picture,
    ]
    .concat();
    let avcc = mp4_box("avcC", &[&avcc]);
    let size = [(columns * 16) as u16, (rows * 16) as u16].map(u16::to_be_bytes).concat();
    let avc1 = mp4_box(
        "avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &size,
            &words(&[0x48_0000, 0x48_0000, 0]),
            &[0, 1],
            &[0; 32],
            &[0, 24, 0xFF, 0xFF],
            &avcc,
        ],
    );
    let last = seconds - count + 1;
    let times = if count == 1 { vec![0, 1, 1, last] } else { vec![0, 2, count - 1, 1, 1, last] };
    let movie = |offset: u32| {
        let sample_sizes = [vec![0, 0, count], sizes.clone()].concat();
        let stbl = mp4_box(
            "stbl",
            &[
                &mp4_box("stsd", &[&words(&[0, 1]), &avc1]),
                &mp4_box("stts", &[&words(&times)]),
                &mp4_box("stsc", &[&words(&[0, 1, 1, count, 1])]),
                &mp4_box("stsz", &[&words(&sample_sizes)]),
                &mp4_box("stco", &[&words(&[0, 1, offset])]),
            ],
        );
        let here = mp4_box("url ", &[&words(&[1])]);
        let dinf = mp4_box("dinf", &[&mp4_box("dref", &[&words(&[0, 1]), &here])]);
        let minf = mp4_box("minf", &[&mp4_box("vmhd", &[&words(&[1, 0, 0])]), &dinf, &stbl]);
        let handler = mp4_box("hdlr", &[&words(&[0, 0]), b"vide", &[0; 12], b"video\0"]);
        let header = mp4_box("mdhd", &[&words(&[0, 0, 0, 1, seconds, 0x55C4_0000])]);
        let mdia = mp4_box("mdia", &[&header, &handler, &minf]);
        let shown = [columns << 20, rows << 20];
        let tkhd = [vec![3, 0, 0, 1, 0, seconds, 0, 0, 0, 0], MATRIX.to_vec(), shown.to_vec()];
        let trak = mp4_box("trak", &[&mp4_box("tkhd", &[&words(&tkhd.concat())]), &mdia]);
        let mvhd = [vec![0, 0, 0, 1, seconds, 0x1_0000, 0x100_0000, 0, 0], MATRIX.to_vec()];
        let mvhd = [mvhd.concat(), vec![0, 0, 0, 0, 0, 0, 2]].concat();
        mp4_box("moov", &[&mp4_box("mvhd", &[&words(&mvhd)]), &trak])
    };
    // The length of the index does not depend on the offset inside it.
    let offset = start.len() + movie(0).len() + 8;
    [start, movie(offset as u32), mp4_box("mdat", &[&data])].concat().into()
}

/// The smallest lossless WebP, with a trailing chunk of its own.
pub(crate) fn webp(number: u64) -> Bytes {
    let picture: [u8; 20] = [
        b'V', b'P', b'8', b'L', 0x0D, 0, 0, 0, 0x2F, 0, 0, 0, 0x10, 0x07, 0x10, 0x11, 0x11, 0x88,
        0x88, 0xFE,
    ];
    let mut body = b"WEBP".to_vec();
    body.extend_from_slice(&picture);
    body.extend_from_slice(&[0x07, 0x00]);
    body.extend_from_slice(b"JUNK\x08\0\0\0");
    body.extend_from_slice(&number.to_be_bytes());
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(body.len() as u32).to_le_bytes());
    file.extend_from_slice(&body);
    file.into()
}

/// A one-page PDF with one line of text.
pub(crate) fn pdf(number: u64) -> Bytes {
    let line = format!("BT /F1 24 Tf 72 700 Td (Simulated document {number}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{line}\nendstream", line.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
    }
    let (start, count) = (file.len(), objects.len() + 1);
    file.extend_from_slice(format!("xref\n0 {count}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let end = format!("trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.extend_from_slice(end.as_bytes());
    file.into()
}

/// Width and height of a picture a provider would accept as a photo; `None` if it is no picture.
pub(crate) fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let be16 =
        |at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let le16 =
        |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let be32 = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((be32(16)?, be32(20)?));
    }
    if bytes.starts_with(b"GIF8") {
        return Some((le16(6)?, le16(8)?));
    }
    if bytes.starts_with(b"BM") {
        return Some((le16(18)?, le16(22)?));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        return Some((512, 512));
    }
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return None;
    }
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        let is_frame = (0xC0..=0xCF).contains(&marker) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        if is_frame {
            return Some((be16(at + 7)?, be16(at + 5)?));
        }
        at += 2 + be16(at + 2)? as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_picture_says_its_size_and_differs_by_number() {
        let picture = jpeg(320, 240, 1);
        assert_eq!(picture_size(&picture), Some((320, 240)));
        assert_ne!(picture, jpeg(320, 240, 2));
        assert_eq!(picture_size(b"plain text"), None);
    }

    #[test]
    fn made_files_start_as_their_formats_do() {
        assert!(ogg_opus(2, 1).starts_with(b"OggS"));
        assert!(mp3(1, 1).starts_with(b"ID3"));
        assert_eq!(&mp4(720, 1280, 5, 1)[4..8], b"ftyp");
        assert_ne!(mp4(480, 270, 1, 1), mp4(480, 270, 1, 2));
        assert_eq!(&webp(1)[8..12], b"WEBP");
        assert!(pdf(1).starts_with(b"%PDF-"));
    }
}
