//! Pictures as SVG: one self-contained file, readable in light and dark mode, with a description in words.

pub(crate) mod bars;
pub(crate) mod calendar;
pub(crate) mod money;

use std::fs;
use std::path::Path;

use maud::{Markup, PreEscaped, html};
use perennial::transport::redact;

use crate::failure::Failure;
use crate::output;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#57606a}\
.paper{fill:#fff}.head{font-size:18px;font-weight:600;fill:#1f2328}.name{font-size:14px;font-weight:600;fill:#1f2328}\
.day{fill:#1f2328}.on{font-weight:600;fill:#fff}.amount{font-size:11px;fill:#1f2328;stroke:#fff;stroke-width:4;paint-order:stroke}\
.line{stroke:#d1d9e0;stroke-width:1}.solid{fill:#0969da}.dotted{fill:#b6c2cf}\
@media(prefers-color-scheme:dark){text{fill:#9198a1}.paper{fill:#0d1117}.head,.name,.day,.amount{fill:#f0f6fc}\
.amount{stroke:#0d1117}.on{fill:#0d1117}.line{stroke:#3d444d}.solid{fill:#4493f8}.dotted{fill:#545d68}}";

/// A picture of this width and height.
struct Picture<'a> {
    title: &'a str,
    /// The description in words, for readers who do not see the picture.
    description: &'a str,
    size: (usize, usize),
    content: Markup,
}

impl Picture<'_> {
    fn document(&self) -> String {
        let Self { title, description, size: (width, height), content } = self;
        // A name is of whoever made the plan, and XML has no control characters.
        let title = redact::text(title);
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img" aria-labelledby="title desc" {
                title id="title" { (title) }
                desc id="desc" { (description) }
                style { (PreEscaped(STYLE)) }
                rect.paper width=(width) height=(height) {}
                text.head x="24" y="36" { (title) }
                text x="24" y="56" { (description) }
                (content)
            }
        };
        svg.into_string() + "\n"
    }
}

/// Prints the data, and draws a picture into the named file; prints only the picture if that is `-`.
pub(crate) fn print(
    file: Option<&Path>,
    draw: impl FnOnce() -> String,
    data: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    match file {
        Some(file) if file == Path::new("-") => output::screen(&draw()),
        Some(file) => {
            let unwritten = |error: std::io::Error| {
                Failure::Usage(format!("the file {} cannot be written: {}", file.display(), error.kind()))
            };
            fs::write(file, draw()).map_err(unwritten)?;
            data()
        }
        None => data(),
    }
}
