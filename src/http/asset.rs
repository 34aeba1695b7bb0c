//! Files that are part of the program: kept once, compressed once in each way a client may ask for, and shared by all
//! answers that are on their way.

use std::io::Write;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::problem::Problem;

/// Brotli's quality and window: from here on the time doubles for each percent.
const BROTLI_QUALITY: u32 = 6;
const BROTLI_WINDOW: u32 = 22;
const BROTLI_BUFFER_BYTES: usize = 16 * 1024;

/// Characters of the hash in an entity tag: 64 bits tell versions apart.
const TAG_CHARS: usize = 16;

/// A file as it is served.
pub struct Asset {
    plain: web::Bytes,
    brotli: OnceCell<web::Bytes>,
    gzip: OnceCell<web::Bytes>,
    media_type: String,
    tag: String,
}

impl Asset {
    pub fn new(plain: web::Bytes, media_type: &str) -> Asset {
        let mut tag: String = Sha256::digest(&plain).iter().map(|byte| format!("{byte:02x}")).collect();
        tag.truncate(TAG_CHARS);
        Asset {
            plain,
            brotli: OnceCell::new(),
            gzip: OnceCell::new(),
            media_type: media_type.to_owned(),
            // Weak, because it is the same for all encodings.
            tag: format!("W/\"{tag}\""),
        }
    }

    /// The answer to a request for it, with these headers besides.
    pub async fn answer(&self, request: &HttpRequest, headers: &[(header::HeaderName, &'static str)]) -> HttpResponse {
        let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|given| names(given, &self.tag));
        let mut answer = HttpResponseBuilder::new(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        answer.insert_header((header::ETAG, self.tag.as_str())).insert_header((header::VARY, "accept-encoding"));
        for (name, value) in headers {
            answer.insert_header((name.clone(), *value));
        }
        if known {
            return answer.finish();
        }
        answer.insert_header((header::CONTENT_TYPE, self.media_type.as_str()));
        let (kept, coding) = match wished(request) {
            Some(ContentEncoding::Brotli) => (&self.brotli, ContentEncoding::Brotli),
            Some(ContentEncoding::Gzip) => (&self.gzip, ContentEncoding::Gzip),
            _ => return answer.body(self.plain.clone()),
        };
        let plain = self.plain.clone();
        let compressed = kept.get_or_try_init(|| async move {
            // It takes some tenths of a second, and others live on this thread.
            web::block(move || compressed(&plain, coding)).await
        });
        match compressed.await {
            Ok(bytes) => answer.insert_header(coding).body(bytes.clone()),
            Err(_ending) => actix_web::ResponseError::error_response(&Problem::internal()),
        }
    }
}

/// What the client likes best of what there is.
fn wished(request: &HttpRequest) -> Option<ContentEncoding> {
    let there = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    match AcceptEncoding::parse(request).ok()?.negotiate(there.iter())? {
        Encoding::Known(coding) => Some(coding),
        Encoding::Unknown(_) => None,
    }
}

fn compressed(plain: &[u8], coding: ContentEncoding) -> web::Bytes {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = if coding == ContentEncoding::Brotli {
        let mut writer = brotli::CompressorWriter::new(&mut out, BROTLI_BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW);
        writer.write_all(plain).and_then(|()| writer.flush())
    } else {
        let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
        writer.write_all(plain).and_then(|()| writer.try_finish())
    };
    out.into()
}

fn names(given: &HeaderValue, tag: &str) -> bool {
    given.to_str().is_ok_and(|given| given.split(',').any(|one| one.trim() == tag))
}
