//! The journal against the sandbox.

mod once;
mod restored;
mod support;
