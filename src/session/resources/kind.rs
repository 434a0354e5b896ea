//! Which kinds of resource an agent may have: images, styles, fonts and media, by their type and nothing else.

/// Whether an agent may have a resource of this type: images, styles, fonts and media, nothing else.
pub(super) fn may_be_shown(content_type: &str, bytes: &[u8]) -> bool {
    let essence = essence(content_type);
    let font = matches!(
        essence.as_str(),
        "application/font-woff"
            | "application/font-woff2"
            | "application/x-font-ttf"
            | "application/x-font-woff"
            | "application/x-font-opentype"
            | "application/vnd.ms-fontobject"
            | "application/font-sfnt"
    );
    let unlabelled_font = matches!(essence.as_str(), "application/octet-stream" | "binary/octet-stream")
        && [&b"wOFF"[..], b"wOF2", b"OTTO", b"\0\x01\0\0"].iter().any(|magic| bytes.starts_with(magic));
    is_style(content_type)
        || font
        || unlabelled_font
        || ["image/", "font/", "audio/", "video/"].iter().any(|kind| essence.starts_with(kind))
}

/// Whether a URL holds what it names, and that is an image or a font: fonts are often labelled `application/…`.
pub(super) fn is_picture_or_font(url: &str) -> bool {
    ["data:image/", "data:font/", "data:application/"]
        .iter()
        .any(|kind| url.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)))
}

pub(super) fn is_style(content_type: &str) -> bool {
    essence(content_type) == "text/css"
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
