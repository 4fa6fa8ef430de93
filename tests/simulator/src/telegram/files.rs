//! Files of one bot: what its clients sent and what it uploaded, with their ids and download paths.
//!
//! Ids belong to the bot. A path is made when it is asked for and can expire. The oldest files go when the bytes
//! kept exceed the bound; their ids are then unknown, as the provider's are after a while.

use std::collections::{HashMap, VecDeque};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::media;

/// The kinds of files a message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Photo,
    Document,
    Video,
    Animation,
    Voice,
    Audio,
    VideoNote,
    Sticker,
}

impl MediaKind {
    /// The field of a message and the parameter of the method.
    pub fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::VideoNote => "video_note",
            Self::Sticker => "sticker",
        }
    }

    /// How the provider's ids of this kind begin.
    fn id_prefix(self) -> &'static str {
        match self {
            Self::Photo => "AgACAgIAAxkBAAIB",
            Self::Document => "BQACAgIAAxkBAAIB",
            Self::Video => "BAACAgIAAxkBAAIB",
            Self::Animation => "CgACAgIAAxkBAAIB",
            Self::Voice => "AwACAgIAAxkBAAIB",
            Self::Audio => "CQACAgIAAxkBAAIB",
            Self::VideoNote => "DQACAgIAAxkBAAIB",
            Self::Sticker => "CAACAgIAAxkBAAIB",
        }
    }

    fn folder_and_extension(self) -> (&'static str, &'static str) {
        match self {
            Self::Photo => ("photos", "jpg"),
            Self::Document => ("documents", "bin"),
            Self::Video => ("videos", "mp4"),
            Self::Animation => ("animations", "mp4"),
            Self::Voice => ("voice", "oga"),
            Self::Audio => ("music", "mp3"),
            Self::VideoNote => ("video_notes", "mp4"),
            Self::Sticker => ("stickers", "webp"),
        }
    }

    pub(super) fn has_caption(self) -> bool {
        !matches!(self, Self::VideoNote | Self::Sticker)
    }
}

/// A file of a client. What is absent is made up, small and valid; `size_bytes` may claim more than there is, to
/// play a file over the download limit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileSpec {
    /// The content, base64 over HTTP.
    #[serde(with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    pub size_bytes: Option<u64>,
    pub file_name: Option<String>,
    pub mime_type: Option<String>,
    pub duration: Option<u32>,
    pub width: Option<u32>,
    pub height: Option<u32>,
}

mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub fn serialize<S: Serializer>(
        bytes: &Option<Bytes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Bytes>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom))
            .transpose()
    }
}

#[derive(Debug, Clone)]
pub(super) struct File {
    pub kind: MediaKind,
    pub unique_id: String,
    pub bytes: Bytes,
    pub size_bytes: u64,
    /// The members of the object beside the ids and the size.
    pub attributes: Map<String, Value>,
    path: Option<String>,
}

impl File {
    fn described(&self, file_id: &str) -> Value {
        let mut object = self.attributes.clone();
        object.insert("file_id".into(), file_id.into());
        object.insert("file_unique_id".into(), self.unique_id.clone().into());
        object.insert("file_size".into(), self.size_bytes.into());
        Value::Object(object)
    }
}

#[derive(Debug, Default)]
pub(super) struct Files {
    by_id: HashMap<String, File>,
    by_path: HashMap<String, String>,
    order: VecDeque<String>,
    kept_bytes: usize,
    serial: u64,
    path_serial: u64,
}

impl Files {
    fn add(
        &mut self,
        kind: MediaKind,
        bytes: Bytes,
        size_bytes: u64,
        attributes: Map<String, Value>,
        bound: usize,
    ) -> String {
        self.serial += 1;
        let code =
            URL_SAFE_NO_PAD.encode((self.serial.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_be_bytes());
        let file_id = format!("{}{code}", kind.id_prefix());
        let unique_prefix = if kind == MediaKind::Photo { "AQAD" } else { "AgAD" };
        let unique_id = format!("{unique_prefix}{code}");
        self.kept_bytes += bytes.len();
        self.by_id.insert(
            file_id.clone(),
            File { kind, unique_id, bytes, size_bytes, attributes, path: None },
        );
        self.order.push_back(file_id.clone());
        while self.kept_bytes > bound && self.order.len() > 1 {
            if let Some(oldest) = self.order.pop_front() {
                self.forget(&oldest);
            }
        }
        file_id
    }

    fn forget(&mut self, file_id: &str) {
        if let Some(file) = self.by_id.remove(file_id) {
            self.kept_bytes -= file.bytes.len();
            if let Some(path) = file.path {
                self.by_path.remove(&path);
            }
        }
    }

    pub fn get(&self, file_id: &str) -> Option<&File> {
        self.by_id.get(file_id)
    }

    /// The current download path, made now if there is none.
    pub fn path_of(&mut self, file_id: &str) -> Option<String> {
        let file = self.by_id.get_mut(file_id)?;
        if let Some(path) = &file.path {
            return Some(path.clone());
        }
        self.path_serial += 1;
        let (folder, extension) = file.kind.folder_and_extension();
        let named = file
            .attributes
            .get("file_name")
            .and_then(Value::as_str)
            .and_then(|name| name.rsplit_once('.'));
        let extension = match named {
            Some((_, extension))
                if (1..=8).contains(&extension.len())
                    && extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                extension
            }
            _ => extension,
        };
        let path = format!("{folder}/file_{}.{extension}", self.path_serial);
        file.path = Some(path.clone());
        self.by_path.insert(path.clone(), file_id.to_owned());
        Some(path)
    }

    pub fn at_path(&self, path: &str) -> Option<&File> {
        self.by_id.get(self.by_path.get(path)?)
    }

    /// Every path given so far stops working; a new `getFile` gives another one.
    pub fn expire_paths(&mut self) {
        self.by_path.clear();
        for file in self.by_id.values_mut() {
            file.path = None;
        }
    }

    /// The content members of a message that carries a known file again.
    pub fn content_of(&self, kind: MediaKind, file_id: &str) -> Option<Map<String, Value>> {
        let file = self.by_id.get(file_id)?;
        Some(content(kind, file.described(file_id)))
    }

    /// Stores a file of a client and gives the content members of the message.
    pub fn add_of_client(
        &mut self,
        kind: MediaKind,
        spec: &FileSpec,
        bound: usize,
    ) -> Map<String, Value> {
        let number = self.serial + 1;
        let duration = spec.duration.unwrap_or(5);
        if kind == MediaKind::Photo {
            return self.add_photo_of_client(spec, number, bound);
        }
        let (default_width, default_height) = match kind {
            MediaKind::Video => (720, 1280),
            MediaKind::VideoNote => (384, 384),
            _ => (480, 270),
        };
        let width = spec.width.unwrap_or(default_width);
        let height = spec.height.unwrap_or(default_height);
        let bytes = spec.bytes.clone().unwrap_or_else(|| match kind {
            MediaKind::Voice => media::ogg_opus(duration, number),
            MediaKind::Audio => media::mp3(duration, number),
            MediaKind::Sticker => media::webp(number),
            MediaKind::Document | MediaKind::Photo => media::pdf(number),
            MediaKind::Video | MediaKind::Animation | MediaKind::VideoNote => {
                media::mp4(width, height, duration, number)
            }
        });
        let mut attributes = Map::new();
        let mut set = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
        let name = |default: &str| {
            Value::from(spec.file_name.clone().unwrap_or_else(|| default.to_owned()))
        };
        let mime = |default: &str| {
            Value::from(spec.mime_type.clone().unwrap_or_else(|| default.to_owned()))
        };
        match kind {
            MediaKind::Document | MediaKind::Photo => {
                set("file_name", name("document.pdf"));
                set("mime_type", mime("application/pdf"));
            }
            MediaKind::Video => {
                set("duration", duration.into());
                set("width", width.into());
                set("height", height.into());
                set("file_name", name("IMG_0091.MP4"));
                set("mime_type", mime("video/mp4"));
            }
            MediaKind::Animation => {
                set("duration", duration.into());
                set("width", width.into());
                set("height", height.into());
                set("file_name", name("animation.gif.mp4"));
                set("mime_type", mime("video/mp4"));
            }
            MediaKind::VideoNote => {
                set("duration", duration.into());
                set("length", width.into());
            }
            MediaKind::Voice => {
                set("duration", duration.into());
                set("mime_type", mime("audio/ogg"));
            }
            MediaKind::Audio => {
                set("duration", duration.into());
                set("file_name", name("track.mp3"));
                set("mime_type", mime("audio/mpeg"));
                set("title", "Track".into());
                set("performer", "Someone".into());
            }
            MediaKind::Sticker => {
                set("width", 512.into());
                set("height", 512.into());
                set("emoji", "👍".into());
                set("set_name", "HandsPack".into());
                set("is_animated", false.into());
                set("is_video", false.into());
                set("type", "regular".into());
            }
        }
        if kind == MediaKind::Video {
            let small = media::jpeg(180, 320, number);
            let small_size = small.len() as u64;
            let shape = picture_attributes(180, 320);
            let small_id = self.add(MediaKind::Photo, small, small_size, shape, bound);
            if let Some(small) = self.by_id.get(&small_id) {
                attributes.insert("thumbnail".into(), small.described(&small_id));
            }
        }
        let size_bytes = spec.size_bytes.unwrap_or(bytes.len() as u64);
        let file_id = self.add(kind, bytes, size_bytes, attributes, bound);
        self.content_of(kind, &file_id).unwrap_or_default()
    }

    fn add_photo_of_client(
        &mut self,
        spec: &FileSpec,
        number: u64,
        bound: usize,
    ) -> Map<String, Value> {
        let mut sizes = Vec::new();
        let mut add = |files: &mut Self, bytes: Bytes, size_bytes: u64, width: u32, height: u32| {
            let file_id = files.add(
                MediaKind::Photo,
                bytes,
                size_bytes,
                picture_attributes(width, height),
                bound,
            );
            sizes.extend(files.by_id.get(&file_id).map(|file| file.described(&file_id)));
        };
        if let Some(bytes) = &spec.bytes {
            let (width, height) = media::picture_size(bytes).unwrap_or((1280, 960));
            let size_bytes = spec.size_bytes.unwrap_or(bytes.len() as u64);
            add(
                self,
                bytes.clone(),
                size_bytes,
                spec.width.unwrap_or(width),
                spec.height.unwrap_or(height),
            );
        } else {
            let (width, height) = (
                spec.width.unwrap_or(640).clamp(8, 4000),
                spec.height.unwrap_or(480).clamp(8, 4000),
            );
            for divisor in [7, 2, 1] {
                let (width, height) = ((width / divisor).max(1), (height / divisor).max(1));
                let bytes = media::jpeg(width as u16, height as u16, number);
                let size_bytes = bytes.len() as u64;
                add(self, bytes, size_bytes, width, height);
            }
            if let (Some(claimed), Some(largest)) = (spec.size_bytes, sizes.last_mut()) {
                largest["file_size"] = claimed.into();
                if let Some(file) =
                    largest["file_id"].as_str().and_then(|id| self.by_id.get_mut(id))
                {
                    file.size_bytes = claimed;
                }
            }
        }
        Map::from_iter([("photo".to_owned(), Value::Array(sizes))])
    }

    /// Stores what the bot uploaded and gives the content members of the message.
    pub fn add_of_bot(
        &mut self,
        kind: MediaKind,
        file_name: &str,
        content_type: Option<&str>,
        bytes: Bytes,
        duration: i64,
        bound: usize,
    ) -> Map<String, Value> {
        let (width, height) = media::picture_size(&bytes).unwrap_or((480, 270));
        let mime = content_type.unwrap_or("application/octet-stream");
        let attributes = match kind {
            MediaKind::Photo => json!({ "width": width, "height": height }),
            MediaKind::Document => json!({ "file_name": file_name, "mime_type": mime }),
            MediaKind::Video | MediaKind::Animation => json!({
                "duration": duration, "width": width, "height": height, "file_name": file_name, "mime_type": "video/mp4",
            }),
            MediaKind::Voice => json!({ "duration": duration, "mime_type": "audio/ogg" }),
            MediaKind::Audio => {
                json!({ "duration": duration, "file_name": file_name, "mime_type": mime })
            }
            MediaKind::VideoNote => json!({ "duration": duration, "length": 384 }),
            MediaKind::Sticker => json!({
                "width": 512, "height": 512, "is_animated": false, "is_video": false, "type": "regular",
            }),
        };
        let Value::Object(attributes) = attributes else { return Map::new() };
        let size_bytes = bytes.len() as u64;
        let file_id = self.add(kind, bytes, size_bytes, attributes, bound);
        self.content_of(kind, &file_id).unwrap_or_default()
    }
}

fn picture_attributes(width: u32, height: u32) -> Map<String, Value> {
    Map::from_iter([("width".to_owned(), width.into()), ("height".to_owned(), height.into())])
}

fn content(kind: MediaKind, object: Value) -> Map<String, Value> {
    let mut content = Map::new();
    match kind {
        MediaKind::Photo => content.insert("photo".into(), Value::Array(vec![object])),
        MediaKind::Animation => {
            // A copy of the file accompanies an animation, for readers that know no animations.
            let mut document = object.clone();
            if let Some(members) = document.as_object_mut() {
                for shape in ["duration", "width", "height"] {
                    members.remove(shape);
                }
            }
            content.insert("document".into(), document);
            content.insert("animation".into(), object)
        }
        _ => content.insert(kind.field().into(), object),
    };
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_path_is_replaced_by_another() {
        let mut files = Files::default();
        let content = files.add_of_client(MediaKind::Document, &FileSpec::default(), 1 << 20);
        let file_id = content["document"]["file_id"].as_str().unwrap();
        let first = files.path_of(file_id).unwrap();
        assert_eq!(first, "documents/file_1.pdf");
        assert!(files.at_path(&first).is_some());
        files.expire_paths();
        assert!(files.at_path(&first).is_none());
        assert_ne!(files.path_of(file_id).unwrap(), first);
    }

    #[test]
    fn the_oldest_files_go_when_the_bound_is_reached() {
        let mut files = Files::default();
        let spec = FileSpec { bytes: Some(Bytes::from(vec![0; 600])), ..FileSpec::default() };
        let first = files.add_of_client(MediaKind::Document, &spec, 1000);
        let second = files.add_of_client(MediaKind::Document, &spec, 1000);
        assert!(files.get(first["document"]["file_id"].as_str().unwrap()).is_none());
        assert!(files.get(second["document"]["file_id"].as_str().unwrap()).is_some());
    }
}
