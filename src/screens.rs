//! The web screens: static files, part of the binary, each under a path that carries the hash of all of them.
//!
//! There is no build step. What a page names in `{{assets}}` becomes the path of this build's files, and `{{modules}}`
//! becomes a preload for every module the page will import, so that a phone does not discover them one after another.
//! In debug builds the files are read from the source folder when the program starts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_embed::Embed;
use sha2::{Digest, Sha256};

/// Where the files are served, before the hash and the file's own path.
pub const PREFIX: &str = "/screens";

/// Characters of the hash that stand in a path: 48 bits tell builds apart.
const HASH_CHARS: usize = 12;

#[derive(Embed)]
#[folder = "src/screens"]
struct Folder;

/// A file as it is served.
pub struct File {
    pub body: Cow<'static, [u8]>,
    pub media_type: &'static str,
}

/// Every file, and the hash of them all.
pub struct Screens {
    files: BTreeMap<String, File>,
    version: String,
}

/// The screens of this build.
pub static SCREENS: LazyLock<Screens> = LazyLock::new(Screens::read);

impl Screens {
    fn read() -> Screens {
        let mut files = BTreeMap::new();
        let mut hash = Sha256::new();
        for path in Folder::iter() {
            let (Some(found), Some(media_type)) = (Folder::get(&path), media_type(&path)) else { continue };
            hash.update(path.as_bytes());
            hash.update(found.metadata.sha256_hash());
            files.insert(path.into_owned(), File { body: found.data, media_type });
        }
        let mut version: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        version.truncate(HASH_CHARS);
        Screens { files, version }
    }

    /// The hash of all files: the same while none of them changed.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A file by its path in the folder.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Every file with its path in the folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The page of a screen, with the paths of this build in it.
    pub fn page(&self, screen: &str) -> Option<String> {
        let html = self.text(&format!("{screen}.html"))?;
        let assets = format!("{PREFIX}/{}", self.version);
        let mut modules = Vec::new();
        self.imported(&format!("{screen}/{screen}.js"), &mut modules);
        let link = |path: &String| format!("<link rel=\"modulepreload\" href=\"{assets}/{path}\">");
        let preloads: Vec<String> = modules.iter().map(link).collect();
        Some(html.replace("{{modules}}", &preloads.join("\n")).replace("{{assets}}", &assets))
    }

    fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(&self.file(path)?.body).ok()
    }

    /// The module and all it imports, each once. Imports of the screens are one to a line, by relative path.
    fn imported(&self, path: &str, found: &mut Vec<String>) {
        if found.iter().any(|known| known == path) {
            return;
        }
        let Some(text) = self.text(path) else { return };
        found.push(path.to_owned());
        for line in text.lines() {
            let from =
                line.split_once(" from \"").filter(|_| line.starts_with("import ") || line.starts_with("} from"));
            if let Some(target) = from.and_then(|(_, rest)| rest.split('"').next()) {
                self.imported(&beside(path, target), found);
            }
        }
    }
}

/// The path that `target`, which begins with `./` or `../`, means in the file at `path`.
fn beside(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "ts" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}
