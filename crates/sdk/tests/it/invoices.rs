//! The effect of earlier charges on an invoice: none is charged twice.

use http::Method;
use perennial::clearent::*;
use perennial::{ErrorKind, Format, Invoice, InvoiceLine};
use perennial_wire::clearent::{Page, Payload};

use crate::gateway::{CARD, Gateway, page, replies};

const NUMBER: &str = "INV-70412";

fn number() -> Reference {
    NUMBER.try_into().unwrap()
}

fn invoice() -> Invoice {
    let line = InvoiceLine::builder().description("Labor").amount("25.00");
    Invoice::builder().number(NUMBER).date("2027-01-04").line(line).build().unwrap()
}

fn sale(result: Option<&str>, amount: &str) -> Transaction {
    Transaction {
        id: Some("700001".parse().unwrap()),
        transaction_type: Some(TransactionType::SALE),
        amount: Some(amount.parse().unwrap()),
        result: result.map(TransactionResult::reported),
        last_four: Some("1111".into()),
        order_id: Some(NUMBER.into()),
        ..Transaction::default()
    }
}

fn part() -> Transaction {
    Transaction {
        original_amount: Some("25.00".parse().unwrap()),
        partial_approved: Some(true),
        ..sale(Some("APPROVED"), "20.00")
    }
}

/// A list that ends before the gateway's own count does not prove that an invoice is unpaid.
#[tokio::test]
async fn a_list_that_is_not_whole_leads_to_no_charge() {
    let declined = Transaction { result_code: Some("012".into()), ..sale(Some("DECLINED"), "25.00") };
    let of = |last, total| Page { number: Some(1), last, total_elements: total, ..Page::default() };
    for (about, found) in [
        (of(Some(false), Some(1)), vec![]),
        (of(Some(true), Some(2)), vec![declined.clone()]),
        (of(Some(false), None), vec![]),
    ] {
        let gateway = Gateway::new(move |_, request| {
            assert_eq!(request.method(), Method::GET, "nothing is charged");
            page(Format::Json, about.clone(), Payload::Transactions(found.clone()))
        });
        let with = Charge::builder().card(CARD).exp_date("1230");
        let error = gateway.client(Format::Json).invoices().pay(&invoice(), with).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    }
}

/// A gateway that has these transactions, records requests to charge, and responds to a charge with this one. Each
/// transaction gets its own id.
fn gateway(stored: Vec<Transaction>, charge: Option<Transaction>) -> std::sync::Arc<Gateway> {
    let id = |at: usize| Some(format!("{}", 700_001 + at).parse().unwrap());
    let stored =
        stored.into_iter().enumerate().map(|(at, made)| Transaction { id: id(at), ..made }).collect();
    let books = std::sync::Mutex::<Vec<_>>::new(stored);
    Gateway::new(move |_, request| {
        let mut books = books.lock().unwrap();
        if request.method() == Method::GET {
            let whole = Page { last: Some(true), ..Page::default() };
            return page(Format::Json, whole, Payload::Transactions(books.clone()));
        }
        let charge = Transaction { id: id(books.len()), ..charge.clone().expect("no charge is to be made") };
        books.insert(0, charge.clone());
        let status = if charge.decline().is_some() { 402 } else { 200 };
        replies(Format::Json, status, Payload::Transaction(charge.into()))
    })
}

fn standing(status: &InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Unpaid(None) => "unpaid",
        InvoiceStatus::Unpaid(Some(_)) => "declined",
        InvoiceStatus::Paid(_) => "paid",
        InvoiceStatus::Partial(_) => "partial",
        InvoiceStatus::Undecided(_) => "undecided",
        InvoiceStatus::Several(charges) => {
            let ids: Vec<_> = charges.iter().map(|made| made.id.as_ref().unwrap().as_str()).collect();
            assert_eq!(ids, ["700001", "700002"]);
            "several"
        }
    }
}

async fn pay(gateway: &std::sync::Arc<Gateway>) -> &'static str {
    let card = Charge::builder().card(CARD).exp_date("1230");
    match gateway.client(Format::Json).invoices().pay(&invoice(), card).await {
        Ok(InvoicePayment::Charged(made)) if made.is_approved() => "made",
        Ok(InvoicePayment::Charged(_)) => "declined",
        Ok(InvoicePayment::AlreadyPaid(_)) => "before",
        Ok(InvoicePayment::Partial(charge)) => {
            let Partial { taken, due } = charge.partial().unwrap();
            assert_eq!((taken.to_string().as_str(), due.unwrap().to_string().as_str()), ("20.00", "5.00"));
            "partial"
        }
        Ok(InvoicePayment::Several(charges)) => {
            assert_eq!(charges.len(), 2);
            "several"
        }
        Ok(InvoicePayment::Conflicting(_)) => "in the way",
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
            assert_eq!(error.lookup(), Some(&Lookup::Invoice(number())));
            "unknown"
        }
    }
}

/// Holds: The earlier charges of an invoice decide whether it is charged, as the table says.
#[tokio::test]
async fn what_earlier_charges_mean() {
    let approved = || sale(Some("APPROVED"), "25.00");
    let undecided = || sale(Some("REVIEW"), "25.00");
    let voided = |made: Transaction| Transaction { voided: Some(true), ..made };
    let with_status =
        |status: &str, voided, made: Transaction| Transaction { status: Some(status.into()), voided, ..made };
    let of_type = |kind, made: Transaction| Transaction { transaction_type: kind, ..made };
    let cases = [
        (vec![], "unpaid", "made"),
        (vec![sale(Some("DECLINED"), "25.00")], "declined", "made"),
        (vec![voided(approved())], "unpaid", "made"),
        (vec![voided(undecided())], "unpaid", "made"),
        (vec![voided(part())], "unpaid", "made"),
        (vec![of_type(Some(TransactionType::AUTH), undecided())], "unpaid", "made"),
        (vec![approved()], "paid", "before"),
        (vec![undecided(), approved()], "paid", "before"),
        (vec![approved(), approved()], "several", "several"),
        (vec![part(), approved()], "several", "several"),
        (vec![part(), sale(Some("APPROVED"), "5.00")], "several", "several"),
        (
            vec![approved(), of_type(Some(TransactionType::CAPTURE), approved()), undecided()],
            "several",
            "several",
        ),
        (vec![approved(), voided(approved())], "paid", "before"),
        (vec![approved(), of_type(Some(TransactionType::REFUND), approved())], "paid", "before"),
        (vec![with_status("Voided", None, approved())], "unpaid", "made"),
        (vec![with_status("VOID", Some(true), approved())], "unpaid", "made"),
        (vec![with_status("Voided", Some(false), approved())], "undecided", "unknown"),
        (vec![with_status("Voided", None, part())], "unpaid", "made"),
        (vec![approved(), with_status("Voided", None, approved())], "paid", "before"),
        (vec![with_status("Approved", None, approved())], "paid", "before"),
        (vec![Transaction { amount: None, ..approved() }], "undecided", "unknown"),
        (vec![sale(Some("APPROVED"), "24.00")], "paid", "in the way"),
        (vec![Transaction { order_id: None, ..approved() }], "paid", "in the way"),
        (vec![undecided()], "undecided", "unknown"),
        (vec![sale(None, "25.00")], "undecided", "unknown"),
        (vec![Transaction { result_code: Some("012".into()), ..approved() }], "undecided", "unknown"),
        (vec![Transaction { order_id: None, ..undecided() }], "undecided", "unknown"),
        (vec![of_type(None, undecided())], "undecided", "unknown"),
        (vec![of_type(Some(TransactionType::CAPTURE), undecided())], "undecided", "unknown"),
        (vec![sale(Some("DECLINED"), "25.00"), undecided(), part()], "undecided", "unknown"),
        (vec![part()], "partial", "partial"),
        (vec![Transaction { partial_approved: None, ..part() }], "partial", "partial"),
        (vec![Transaction { original_amount: None, ..part() }], "partial", "partial"),
        (
            vec![Transaction { original_amount: Some("30.00".parse().unwrap()), ..part() }],
            "partial",
            "in the way",
        ),
    ];
    for (stored, expected, paid) in cases {
        let what = format!("{stored:?}");
        let charges = (paid == "made").then(approved);
        let gateway = gateway(stored, charges);
        let status = gateway.client(Format::Json).invoices().status(&number()).await.unwrap();
        assert_eq!(standing(&status), expected, "{what}");
        assert_eq!(pay(&gateway).await, paid, "{what}");
    }
}

/// Repeated calls charge once, unless the charge was declined.
///
/// Holds: Repeated payments of an invoice give the same result and charge once, unless the charge was
/// declined.
#[tokio::test]
async fn a_charge_is_told_the_same_whenever_it_is_asked_for() {
    for (charge, first, later, status, charges) in [
        (sale(Some("APPROVED"), "25.00"), "made", "before", "paid", 1),
        (part(), "partial", "partial", "partial", 1),
        (Transaction { original_amount: None, ..part() }, "partial", "partial", "partial", 1),
        (sale(Some("REVIEW"), "25.00"), "unknown", "unknown", "undecided", 1),
        (sale(None, "25.00"), "unknown", "unknown", "undecided", 1),
        (
            Transaction { result_code: Some("050".into()), ..sale(Some("APPROVED"), "25.00") },
            "unknown",
            "unknown",
            "undecided",
            1,
        ),
        (sale(Some("APPROVED"), "24.00"), "unknown", "in the way", "paid", 1),
        (sale(Some("DECLINED"), "25.00"), "declined", "declined", "declined", 4),
    ] {
        let what = format!("{charge:?}");
        let gateway = gateway(vec![], Some(charge));
        assert_eq!(pay(&gateway).await, first, "{what}");
        for _ in 0..3 {
            assert_eq!(pay(&gateway).await, later, "{what}");
        }
        let found = gateway.client(Format::Json).invoices().status(&number()).await.unwrap();
        assert_eq!(standing(&found), status, "{what}");
        let charged = gateway.calls().iter().filter(|call| call.starts_with("POST")).count();
        assert_eq!(charged, charges, "{what}");
    }
}
