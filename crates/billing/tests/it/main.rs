//! Billing over the sandbox.

mod life;
mod support;
