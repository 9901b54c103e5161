//! Uses this crate alone to compute the days on which a plan charges, and their sum. No network, no clock, no runtime.
//!
//! `cargo run -p perennial-domain --example calendar`

use perennial_domain::Amount;
use perennial_domain::clearent::{FrequencyDay, PlanTerm, Schedule};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let term = PlanTerm::new("2028-02-10".try_into()?, "2029-02-10".try_into()?)?;
    let days: Vec<_> = Schedule::new(term, FrequencyDay::try_from("28")?).collect();
    let amount: Amount = "49.90".parse()?;
    for day in &days {
        println!("{day}  {amount}");
    }
    let total = amount.checked_mul(days.len().try_into()?).ok_or("too large")?;
    println!("{} charges, {total} in all", days.len());
    assert_eq!(
        (days[0].to_string().as_str(), days.len(), total.to_string().as_str()),
        ("2028-02-28", 12, "598.80")
    );

    // A plan has at most 12 months. A longer one is refused before any request is sent.
    assert!(PlanTerm::new("2028-02-10".try_into()?, "2029-02-11".try_into()?).is_err());
    Ok(())
}

/// Holds: The example of charge dates runs.
#[test]
fn it_runs() {
    main().unwrap();
}
