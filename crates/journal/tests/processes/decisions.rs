//! The shared list of decisions: any process makes any of them, and each is known by its operation key.

use perennial::clearent::{Charge, CustomerUpdate, NewCustomer, NewPlan, NewToken, Transaction, Void};
use perennial::clientpay::{Card, NewPayer, NewPayment};
use perennial_journal::{Error, Settled, Told};

use crate::setup::Clients;

/// An operation key, and what became of it.
pub(crate) type Outcome = (String, &'static str);

/// The number of kinds of decisions, which take turns.
pub(crate) const KINDS: u64 = 9;

/// Makes the decision of this number; returns the outcomes of its operation keys. A second write of a decision needs
/// the result of its first one.
pub(crate) async fn make(clients: &Clients, number: u64) -> Result<Vec<Outcome>, Error> {
    let Clients { north, pay, customer, token, .. } = clients;
    let key = |name: &str| format!("{number}/{name}");
    let mut outcomes = Vec::new();
    match number % KINDS {
        0 => {
            let new = NewCustomer::builder().first_name("Grace").last_name(format!("Hopper{number}"));
            let made = north.customers().create(&key("customer"), &new.build().unwrap()).await?;
            outcomes.push((key("customer"), word(&made)));
            if let Some(made) = made.done() {
                let update = CustomerUpdate::builder().email(email(number)).build().unwrap();
                let updated = north.customers().update(&key("email"), &made.customer_key, &update).await?;
                outcomes.push((key("email"), word(&updated)));
            }
        }
        1 => {
            let new = NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999");
            let new = new.description("a card").customer_key(customer).build().unwrap();
            outcomes.push((key("token"), word(&north.tokens().create(&key("token"), new).await?)));
        }
        kind @ (2 | 3) => {
            let new = NewPlan::builder().plan_name("Gold").customer_key(customer).token_id(token);
            let new = new.monthly_on(15).starting("2027-02-01").charges(12).payment_amount("50.00");
            let made = north.plans().create(&key("plan"), &new.status("ACTIVE").build().unwrap()).await?;
            outcomes.push((key("plan"), word(&made)));
            if let (Some(made), 3) = (made.done(), kind) {
                let canceled = north.plans().cancel(&key("cancel"), &made.plan_key).await?;
                outcomes.push((key("cancel"), word(&canceled)));
            }
        }
        kind @ (4..=6) => {
            let charge = Charge::builder().amount("25.00").exp_date("1230");
            let charge =
                if kind == 4 { charge.card("4111 1111 1111 1111").csc("999") } else { charge.card(token) };
            let sold = north.transactions().sale(&key("sale"), &charge.build().unwrap()).await?;
            outcomes.push((key("sale"), word(&sold)));
            if let (Some(Transaction { id: Some(id), .. }), 6) = (sold.done(), kind) {
                let voided = north.transactions().void(&key("void"), &Void { id }).await?;
                outcomes.push((key("void"), word(&voided)));
            }
        }
        7 => {
            let card = Card::builder().card_number("5555444433332226").expiration_date("1230").cvv("739");
            let card = card.cardholder_name("Rosa Lind");
            let payment = NewPayment::builder().total_amount("25.00").credit_card(card).build().unwrap();
            outcomes.push((key("pay"), word(&pay.payments().pay(&key("pay"), &payment).await?)));
        }
        _ => {
            let new = NewPayer::builder().first_name(payer(number)).emails(&*email(number)).build().unwrap();
            outcomes.push((key("payer"), word(&pay.payers().create(&key("payer"), &new).await?)));
        }
    }
    Ok(outcomes)
}

/// The address that a decision gives to a customer or payer.
pub(crate) fn email(number: u64) -> String {
    format!("n{number}@example.test")
}

/// The name by which a payer is found: a payer has no mark.
pub(crate) fn payer(number: u64) -> String {
    format!("Payer{number}")
}

fn word<T>(settled: &Settled<T>) -> &'static str {
    match settled {
        Settled::Done { how: Told::Replayed, .. } => "replayed",
        Settled::Done { .. } => "done",
        Settled::Declined { .. } => "declined",
        Settled::Refused { .. } => "refused",
        Settled::Withdrawn { .. } => "withdrawn",
        Settled::NeedsPerson(_) => "needs-person",
        Settled::NeedsCard(_) => "needs-card",
        _ => "open",
    }
}

/// The outcome of a word that does not change any more, if it is one.
pub(crate) fn final_outcome(word: &str) -> Option<&'static str> {
    match word {
        "done" | "replayed" => Some("done"),
        "declined" => Some("declined"),
        "refused" => Some("refused"),
        "withdrawn" => Some("withdrawn"),
        _ => None,
    }
}
