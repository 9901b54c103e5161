//! The journal against the sandbox.

mod clientpay;
mod once;
mod support;
