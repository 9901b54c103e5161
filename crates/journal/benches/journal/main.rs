//! The cost of an operation key beside the same by hand, and the memory of a program whose journal has a million done
//! intents. `cargo xtask bench journal` runs it.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, clippy::float_arithmetic)]

mod key;
mod memory;
mod shop;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match std::env::var(shop::CHILD).as_deref() {
            Ok("sandbox") => shop::serve().await,
            Ok(_) => memory::child().await,
            Err(_) => {
                key::measure().await;
                memory::measure().await;
            }
        }
    });
}
