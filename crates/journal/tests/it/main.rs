//! The journal against the sandbox.

mod once;
mod support;
