//! The pages of the sandbox in a real browser: Chromium without a screen, driven by its own driver on a free port.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod browser;
mod console;
mod payment_page;
