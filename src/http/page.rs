//! The widget's page as it is served.

use std::io::Write as _;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Settings;
use super::dist::{self, CROSS_ORIGIN, EncodedFile, Encoding};
use crate::conversation::UrlTemplate;

/// Everything comes from here; only pictures, sound and video of a conversation come from where
/// the customer's media are, and older messages from where the portal has them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' http: https: data:; media-src http: https:; \
    base-uri 'none'; form-action 'none'; connect-src 'self'";

/// What the widget has no use for, in whatever page it is embedded.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
    payment=(), usb=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const EMBEDDER_POLICY: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// A page that is isolated (`require-corp` or `credentialless`) frames only pages that are so too.
/// This kind of it still shows pictures of hosts that say nothing of who may have them; they are
/// asked for without cookies.
const CREDENTIALLESS: &str = "credentialless";

const FILE: &str = "widget.html";

/// The name under which the page finds out where older messages are.
const HISTORY: &str = "name=\"agent-gateway:history\"";

/// The page, into which it is written where older messages are, and what its policy says of it.
pub(super) struct Page {
    /// With an address in it; without one it is as it was built.
    rendered: Option<RenderedPage>,
    headers: HeaderMap,
    /// Where it is, for requests without a path.
    pub(super) address: String,
}

/// A page other than the built one, plain and compressed.
struct RenderedPage {
    html: Bytes,
    gzip: Bytes,
}

impl Page {
    pub(super) fn new(settings: &Settings) -> Self {
        let ancestors = &settings.ancestors;
        let history = settings.history.as_ref();
        let service = history.map(|template| format!(" {}", template.origin()));
        let service = service.unwrap_or_default();
        let mut headers = HeaderMap::new();
        let policy = format!("{POLICY}{service}; frame-ancestors {ancestors}");
        let options = ancestors.frame_options().map(str::to_owned);
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, Some(policy)),
            (X_FRAME_OPTIONS, options),
            (REFERRER_POLICY, Some("no-referrer".to_owned())),
            (PERMISSIONS_POLICY, Some(PERMISSIONS.to_owned())),
            (EMBEDDER_POLICY, Some(CREDENTIALLESS.to_owned())),
            (RESOURCE_POLICY, Some(CROSS_ORIGIN.to_owned())),
            (CACHE_CONTROL, Some("no-cache".to_owned())),
        ] {
            // All of them have been checked, or are constants.
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
        let address = match (settings.public_urls.prefix(), settings.proxies) {
            // A proxy may have taken away a path that is not known here.
            ("", 1..) => "widget".to_owned(),
            (prefix, _) => format!("{prefix}/widget"),
        };
        Self {
            rendered: history.and_then(RenderedPage::new),
            headers,
            address,
        }
    }

    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let body = match &self.rendered {
            Some(rendered) => Some(rendered.body(headers)),
            None => dist::find(FILE, headers),
        };
        let Some(body) = body else {
            return dist::missing();
        };
        let kind = "text/html; charset=utf-8".to_owned();
        (self.headers.clone(), dist::answer(body, kind, headers)).into_response()
    }
}

impl RenderedPage {
    fn new(history: &UrlTemplate) -> Option<Self> {
        let html = with_history(&dist::built(FILE)?, history);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&html).ok()?;
        let gzip = gzip.finish().ok()?.into();
        Some(Self { html, gzip })
    }

    fn body(&self, headers: &HeaderMap) -> EncodedFile {
        let (encoding, bytes) = if Encoding::Gzip.is_accepted(headers) {
            (Encoding::Gzip, &self.gzip)
        } else {
            (Encoding::Identity, &self.html)
        };
        EncodedFile {
            encoding,
            bytes: bytes.clone(),
            tag: dist::tag(bytes),
        }
    }
}

/// Writes the address into the page, which has a place for it.
fn with_history(html: &[u8], history: &UrlTemplate) -> Bytes {
    let text = String::from_utf8_lossy(html);
    let place = text.find(HISTORY).and_then(|name| {
        let begin = text[..name].rfind('<')?;
        let end = name + text[name..].find('>')?;
        Some(begin..=end)
    });
    let Some(place) = place else {
        return Bytes::copy_from_slice(html);
    };
    let address = history
        .to_string()
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    let mut page = text.into_owned();
    page.replace_range(place, &format!("<meta {HISTORY} content=\"{address}\">"));
    page.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(html: &str, address: &str) -> String {
        let history = UrlTemplate::parse(address, &[]).unwrap();
        String::from_utf8(with_history(html.as_bytes(), &history).into()).unwrap()
    }

    #[test]
    fn the_page_says_where_older_messages_are_and_is_otherwise_as_it_was() {
        let page = |tag| format!("<html><head>\n<meta charset=\"utf-8\">{tag}</head></html>");
        let built = page(r#"<meta name="agent-gateway:history" content="">"#);
        let other = page(r#"<meta content="" name="agent-gateway:history" />"#);
        let address = "https://portal.example/{conversationId}?t={tenantId}&x=\"<b>";
        let rendered_page = page(
            r#"<meta name="agent-gateway:history" content="https://portal.example/{conversationId}?t={tenantId}&amp;x=&quot;&lt;b>">"#,
        );
        assert_eq!(rendered(&built, address), rendered_page);
        assert_eq!(rendered(&other, address), rendered_page);
        assert_eq!(rendered(&page(""), address), page(""));
    }
}
