//! ClientPay: credentials and ids, the rules of every request, and the conditions under which a payment is paid.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

use std::fmt::Debug;

use perennial_domain::clientpay::*;
use perennial_domain::{Amount, InvalidValue, NaiveDate, Rule, Violations};
use proptest::prelude::*;

const CARD: &str = "4111111111111111";

const REQUEST: &str = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11";

fn rule<T>(read: Result<T, InvalidValue>) -> Option<Rule> {
    read.err().map(|error| error.0)
}

/// The result of a request: `ok`, or its violations in order.
fn said<T>(request: Result<T, Violations>) -> String {
    request.map_or_else(|violations| violations.to_string(), |_| "ok".to_owned())
}

fn check<const N: usize>(cases: [(String, &str); N]) {
    for (index, (said, expected)) in cases.into_iter().enumerate() {
        assert_eq!(said, expected, "case {index}");
    }
}

fn card() -> CardBuilder {
    Card::builder().card_number(CARD).expiration_date("0930")
}

fn e_check() -> ECheckBuilder {
    ECheck::builder()
        .name_on_account("Harbor Tile LLC")
        .routing_number("021000021")
        .account_number("5550001234")
}

fn invoice() -> InvoiceBuilder {
    Invoice::builder().invoice_number("INV-1").invoice_date("2024-03-04").outstanding_balance("100.00")
}

#[test]
fn a_credential_is_what_was_pasted_without_the_blanks_around_it() {
    let (longest, too_long) = ("k".repeat(256), "k".repeat(257));
    let cases = [
        ("int-5f0c7d1a", None),
        (" \tint-5f0c7d1a\r\n", None),
        ("7731", None),
        (&*longest, None),
        (&*too_long, Some(Rule::TooLong { max: 256 })),
        ("", Some(Rule::Empty)),
        (" \n", Some(Rule::Empty)),
        ("77 31", Some(Rule::Credential { at: 3 })),
        ("77\n31", Some(Rule::Credential { at: 3 })),
        ("\u{201c}7731\u{201d}", Some(Rule::Credential { at: 1 })),
        ("\"7731\"", Some(Rule::Credential { at: 1 })),
        ("7731\u{a0}", Some(Rule::Credential { at: 5 })),
        ("77\u{200b}31", Some(Rule::Credential { at: 3 })),
        ("pín", Some(Rule::Credential { at: 2 })),
    ];
    for (pasted, expected) in cases {
        assert_eq!(rule(IntegratorKey::try_from(pasted)), expected, "{pasted:?}");
        assert_eq!(rule(AccountKey::try_from(pasted.to_owned())), expected, "{pasted:?}");
        assert_eq!(rule(pasted.parse::<AccountPin>()), expected, "{pasted:?}");
        assert_eq!(rule(CustomerKey::try_from(pasted)), expected, "{pasted:?}");
        assert_eq!(rule(CustomerPin::try_from(pasted)), expected, "{pasted:?}");
        assert_eq!(rule(AccessId::try_from(pasted)), expected, "{pasted:?}");
    }
    assert_eq!(AccountPin::try_from(" 7731\n").unwrap().expose(), "7731");
}

#[test]
fn an_access_id_is_told_from_another_and_a_request_id_names_what_it_made() {
    let id = |text: &str| AccessId::try_from(text).unwrap();
    assert!(id("a-1").is(&id("a-1")) && !id("a-1").is(&id("a-2")));

    for (text, good) in
        [(REQUEST, true), ("a", true), ("", false), ("a/b", false), ("..", false), (" a", false)]
    {
        assert_eq!(rule(RequestId::try_from(text)), (!good).then_some(Rule::Key), "{text:?}");
    }
    let request = RequestId::try_from(REQUEST).unwrap();
    assert!(request.used() == request && request.used().to_string() == REQUEST);
    assert!(UsedRequestId::try_from("another").unwrap() != request);
}

#[test]
fn credentials_name_all_that_is_wrong() {
    let all = || Credentials::builder().integrator_key("int-1").account_key("acct-1").account_pin("7731");
    check([
        (said(all().build()), "ok"),
        (said(all().account_pin("").build()), "accountPin: must not be empty"),
        (
            said(Credentials::builder().account_key("a b").build()),
            "accountKey: must be visible ASCII without blanks and quotation marks (character 2): paste it as plain \
             text; integratorKey: is required; accountPin: is required",
        ),
        (
            said(CustomerCredentials::builder().integrator_key("int-1").build()),
            "customerKey: is required; customerPin: is required",
        ),
    ]);
}

#[test]
fn an_invoice_date_has_two_formats() {
    let leap = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap();
    for (text, expected) in [
        ("2028-02-29", Some(leap)),
        ("02/29/2028", Some(leap)),
        ("02/29/2027", None),
        ("29/02/2028", None),
        ("2/29/2028", None),
        ("02-29-2028", None),
        ("2028/02/29", None),
        ("02/29/28", None),
        ("0２/29/20", None),
        ("2028-02-29T00:00:00", None),
        ("", None),
    ] {
        let read = InvoiceDate::try_from(text);
        assert_eq!(read.ok().map(|date| date.date().naive()), expected, "{text:?}");
        assert!(expected.is_some() || rule(read) == Some(Rule::InvoiceDateFormat), "{text:?}");
    }
    assert_eq!(InvoiceDate::try_from(leap).unwrap().to_string(), "2028-02-29");
}

#[test]
fn a_page_lasts_15_minutes_to_a_year() {
    for (seconds, as_gateway, good) in [
        (0, 900, false),
        (899, 900, false),
        (900, 900, true),
        (86_400, 86_400, true),
        (31_540_000, 31_540_000, true),
        (31_540_001, 31_540_000, false),
        (u32::MAX, 31_540_000, false),
    ] {
        let range = Rule::Range { min: 900, max: 31_540_000 };
        assert_eq!(rule(PageDuration::try_from(seconds)), (!good).then_some(range), "{seconds}");
        assert_eq!(PageDuration::as_gateway(seconds.into()).get(), as_gateway, "{seconds}");
        assert_eq!(PageDuration::try_from(seconds.to_string().as_str()).is_ok(), good, "{seconds}");
    }
    assert_eq!(PageDuration::as_gateway(i64::MIN), PageDuration::MIN);
    assert!(PageDuration::try_from("+900").is_err());
}

#[test]
fn words_numbers_and_codes() {
    let state = |text: &str| State::try_from(text).ok().map(State::as_str);
    assert_eq!(
        ["AL", " qc ", "dc", "PR", "XX", "", "A", "Alabama", "GB"].map(state),
        [Some("AL"), Some("QC"), Some("DC"), Some("PR"), None, None, None, None, None]
    );
    let good = |text: &str| WebAddress::try_from(text).is_ok();
    for (text, expected) in [
        ("https://portal.example.test/hooks", true),
        ("HTTP://127.0.0.1:8480", true),
        ("https://", false),
        ("https://user@portal.example.test", false),
        ("https://portal.example.test/a b", false),
        ("ftp://portal.example.test", false),
        ("javascript:alert(1)", false),
        ("portal.example.test", false),
        ("httpé://", false),
        ("", false),
    ] {
        assert_eq!(good(text), expected, "{text:?}");
    }
    for (text, expected) in [
        ("021000021", true),
        (" 021000021 ", true),
        ("02100002", false),
        ("0210000211", false),
        ("02100002a", false),
    ] {
        assert_eq!(RoutingNumber::try_from(text).is_ok(), expected, "{text:?}");
    }
    for (text, expected) in [
        ("1234", true),
        ("5550-001 234", true),
        ("12345678901234567", true),
        ("123", false),
        ("123456789012345678", false),
        ("55500x1234", false),
        ("", false),
    ] {
        assert_eq!(AccountNumber::try_from(text).is_ok(), expected, "{text:?}");
    }
    assert_eq!(AccountNumber::try_from("1234").unwrap().last_four(), "");
    assert_eq!(AccountType::try_from("Savings_Personal").unwrap(), AccountType::SAVINGS_PERSONAL);
    assert!(AccountType::try_from("2").is_err());
    let name = |text: &str| PayerName::try_from(text).ok().map(PayerName::code);
    assert_eq!(
        ["1", "firstLast", "FIRSTLAST", "2", "3", "4", ""].map(name),
        [Some(1), Some(1), Some(1), Some(2), Some(3), None, None]
    );
    let operator = |text: &str| Operator::try_from(text).ok();
    assert_eq!(
        ["5", "gte", "GTE", " 5", "7", ">="].map(operator),
        [
            Some(Operator::AtLeast),
            Some(Operator::AtLeast),
            Some(Operator::AtLeast),
            Some(Operator::AtLeast),
            None,
            None
        ]
    );
}

#[test]
fn invoices_and_items() {
    check([
        (said(invoice().build()), "ok"),
        (said(invoice().payment_amount("100.00").tax("0").discount_amount("0.00").build()), "ok"),
        (
            said(invoice().payment_amount("100.01").build()),
            "paymentAmount: must be at most outstandingBalance",
        ),
        (said(invoice().payment_amount(Amount::ZERO).build()), "paymentAmount: must be at least 0.01"),
        (
            said(invoice().outstanding_balance(Amount::ZERO).build()),
            "outstandingBalance: must be at least 0.01",
        ),
        (said(invoice().tax("-1").build()), "tax: must be digits with at most two decimals, such as 50.00"),
        (
            said(Invoice::builder().due_date("soon").pdf_link("file:///etc/passwd").editable("yes").build()),
            "dueDate: must be a date of the calendar written yyyy-mm-dd or mm/dd/yyyy, from 1970 to 2199; \
             pdfLink: must be a URL that begins with https:// or http://; editable: must be true or false; \
             invoiceNumber: is required; invoiceDate: is required; outstandingBalance: is required",
        ),
        (
            said(
                ConnectInvoice::builder()
                    .invoice_number("INV-1")
                    .invoice_date("2024-03-04")
                    .outstanding_balance("1.00")
                    .payment_amount("1.01")
                    .build(),
            ),
            "paymentAmount: must be at most outstandingBalance",
        ),
        (said(LineItem::builder().item_id("R-19").build()), "paymentAmount: is required"),
        (
            said(LineItem::builder().payment_amount(Amount::ZERO).build()),
            "paymentAmount: must be at least 0.01",
        ),
        (
            said(OpenInvoice::default().to_pay()),
            "invoiceNumber: is required; invoiceDate: is required; outstandingBalance: is required",
        ),
    ]);
}

#[test]
fn pages() {
    check([
        (said(InvoicePage::builder().invoice(invoice()).build()), "ok"),
        (said(InvoicePage::builder().build()), "invoices: is required"),
        (said(LineItemPage::builder().build()), "lineItems: is required"),
        (said(ConnectPage::builder().build()), "connectOption: is required; invoices: is required"),
        (said(PayerPage::builder().build()), "ok"),
        (
            said(
                InvoicePage::builder()
                    .invoice(invoice())
                    .invoice(invoice().invoice_number(""))
                    .invoice(invoice())
                    .invoice(invoice().payment_amount("200"))
                    .billing_address(Address::builder().state("Alabama"))
                    .page_options(PageOptions::builder().duration(0))
                    .response_options(ResponseOptions::builder().server_side_return_address("portal"))
                    .email_options("[]")
                    .build(),
            ),
            "invoices[1].invoiceNumber: must not be empty; \
             invoices[3].paymentAmount: must be at most outstandingBalance; \
             billingAddress.state: must be the two-letter code of a state of the US or a province of Canada; \
             pageOptions.duration: must be a whole number from 900 to 31540000; \
             responseOptions.serverSideReturnAddress: must be a URL that begins with https:// or http://; \
             emailOptions: must be the text of a JSON object",
        ),
    ]);
    let page = InvoicePage::builder().invoice(invoice()).invoice(invoice()).build().unwrap();
    assert_eq!(page.fields().invoices.len(), 2);
}

#[test]
fn payments_and_refunds() {
    let payment = || NewPayment::builder().total_amount("540.25");
    let method: PaymentMethodId = "3c1d9c52".parse().unwrap();
    let payer: PayerId = "9a7b6c5d".parse().unwrap();
    check([
        (said(payment().credit_card(card()).build()), "ok"),
        (said(payment().e_check(e_check()).build()), "ok"),
        (said(payment().payer_or_payment_method_id(&method).tax("540.25").build()), "ok"),
        (said(payment().payer_or_payment_method_id(&payer).build()), "ok"),
        (said(payment().build()), "payerOrPaymentMethodId: is required unless creditCard or eCheck is given"),
        (
            said(payment().credit_card(card()).e_check(e_check()).build()),
            "eCheck: must not be given together with creditCard",
        ),
        (
            said(payment().payer_or_payment_method_id(&payer).credit_card(card()).build()),
            "creditCard: must not be given together with payerOrPaymentMethodId",
        ),
        // A refused value counts as given.
        (
            said(payment().credit_card(card().card_number("4111111111111112").cvv("12")).build()),
            "creditCard.cardNumber: must be a card number whose check digit is right (Luhn); \
             creditCard.cvv: must be the 3 or 4 digits of the card's security code",
        ),
        (
            said(payment().credit_card(Card::builder()).tax("540.26").build()),
            "creditCard.cardNumber: is required; creditCard.expirationDate: is required; \
             tax: must be at most totalAmount",
        ),
        (
            said(
                payment()
                    .e_check(e_check().routing_number("1").account_number("x").account_type("gold"))
                    .build(),
            ),
            "eCheck.routingNumber: must be the 9 digits of a bank's routing number; \
             eCheck.accountNumber: must be the 4 to 17 digits of a bank account's number; \
             eCheck.accountType: must be one of checking_business, checking_personal, savings_business, \
             savings_personal",
        ),
        (
            said(payment().total_amount(Amount::ZERO).credit_card(card()).build()),
            "totalAmount: must be at least 0.01",
        ),
        (said(Refund::builder().payment_id("20411875").build()), "ok"),
        (said(Refund::builder().refund_note("twice").build()), "paymentId: is required"),
    ]);
}

#[test]
fn payers_and_methods() {
    let payer =
        || NewPayer::builder().first_name("Rosa").emails(["rosa@example.test", "accounts@example.test"]);
    let update = || MethodUpdate::builder().id("3c1d9c52");
    check([
        (said(payer().build()), "ok"),
        (said(payer().emails([]).build()), "emails: is required"),
        (said(payer().emails(["rosa@example.test", ""]).build()), "emails: must not be empty"),
        (
            said(payer().payer_name("4").build()),
            "payerName: must be one of 1 (firstLast), 2 (business), 3 (both)",
        ),
        (said(NewPayer::builder().last_name("").emails("a@b.test").build()), "lastName: must not be empty"),
        (said(PayerUpdate::builder().payer_id("p").build()), "payer: must change at least one field"),
        (said(PayerUpdate::builder().emails("a@b.test").build()), "payerId: is required"),
        (said(NewMethods::builder().payer_id("p").build()), "paymentMethods: is required"),
        (
            said(
                NewMethods::builder()
                    .payer_id("p")
                    .method(NewMethod::builder().credit_card(card()))
                    .method(NewMethod::builder().credit_card(card()).e_check(e_check()))
                    .method(NewMethod::builder())
                    .build(),
            ),
            "paymentMethods[1].eCheck: must not be given together with creditCard; \
             paymentMethods[2].creditCard: is required unless eCheck is given",
        ),
        (said(MethodUpdates::builder().update(update().is_primary(true)).build()), "ok"),
        (
            said(MethodUpdates::builder().update(update()).update(update().fixed("billingAddress")).build()),
            "paymentMethods[0].paymentMethod: must change at least one field; \
             paymentMethods[1].billingAddress: cannot be updated: only isPrimary, the name and the expiry of a \
             method can; add a new method",
        ),
        (
            said(update().cardholder_name("Rosa").name_on_account("Rosa").build()),
            "eCheck: must not be given together with creditCard",
        ),
    ]);
}

#[test]
fn searches() {
    let criteria = |value: &str| Criteria::new(Field::SessionId, Operator::Is, value).unwrap();
    let deep = |levels: usize| {
        (1..levels).fold(Group::from(criteria("S-0")).and(criteria("S-1")), |inside, level| {
            if level % 2 == 0 { inside.and(criteria("S")) } else { inside.or(criteria("S")) }
        })
    };
    check([
        (said(PaymentSearch::builder().group(criteria("S-1")).page_size(100).page_number(1).build()), "ok"),
        (said(PaymentSearch::builder().group(deep(8)).build()), "ok"),
        (
            said(PaymentSearch::builder().group(deep(9)).build()),
            "group: must not have more than 8 groups inside one another",
        ),
        (
            said(PaymentFilter::builder().group(deep(9)).build()),
            "group: must not have more than 8 groups inside one another",
        ),
        (
            said(PaymentSearch::builder().page_size(101).page_number(0).order_by(vec!["amount"]).build()),
            "pageSize: must be a whole number from 1 to 100; pageNumber: must be a whole number from 1 to 4294967295; \
             orderBy: must be one of paymentDate, paymentId, sessionId, requestId; group: is required",
        ),
    ]);
    assert_eq!(rule(Group::of(GroupType::And, vec![])), Some(Rule::Required));
    // A chain of one group type is one group.
    let flat = Group::from(criteria("S-1")).or(criteria("S-2")).or(criteria("S-3"));
    assert_eq!((flat.kind(), flat.conditions().len()), (GroupType::Or, 3));
}

fn expected() -> Expected {
    Expected { request_id: REQUEST.parse().unwrap(), amount: Some("540.25".parse().unwrap()) }
}

fn approved() -> Payment {
    Payment {
        success: Some(true),
        request_id: Some(REQUEST.parse().unwrap()),
        payment_id: Some("20411875".parse().unwrap()),
        payment_status: Some(PaymentStatus::APPROVED),
        payment_amount: Some("540.25".parse().unwrap()),
        ..Payment::default()
    }
}

/// Holds: Each payment of the table counts as paid or not by its request id, status and amount.
#[test]
fn what_counts_as_paid() {
    let status = |word: &str| Some(PaymentStatus::reported(word));
    let cases = [
        ("whole", approved(), Verdict::Approved),
        ("as a search has it", Payment { success: None, ..approved() }, Verdict::Approved),
        (
            "processing",
            Payment { payment_status: status("Processing"), payment_id: None, ..approved() },
            Verdict::Pending,
        ),
        ("success alone", Payment { payment_status: None, ..approved() }, Verdict::Unknown),
        ("no payment id", Payment { payment_id: None, ..approved() }, Verdict::Unknown),
        ("no request", Payment { request_id: None, ..approved() }, Verdict::Unknown),
        (
            "another request",
            Payment { request_id: Some("a".parse().unwrap()), ..approved() },
            Verdict::Unknown,
        ),
        (
            "another amount",
            Payment { payment_amount: Some("540.26".parse().unwrap()), ..approved() },
            Verdict::Unknown,
        ),
        ("no amount", Payment { payment_amount: None, ..approved() }, Verdict::Unknown),
        ("failed and approved", Payment { success: Some(false), ..approved() }, Verdict::Unknown),
        ("another word", Payment { payment_status: status("Accepted"), ..approved() }, Verdict::Unknown),
        (
            "declined",
            Payment { success: Some(false), payment_status: status("DECLINED"), ..approved() },
            Verdict::Declined,
        ),
        (
            "an error",
            Payment { success: None, payment_status: status("error"), ..approved() },
            Verdict::Declined,
        ),
        (
            "declined with success",
            Payment { payment_status: status("Declined"), ..approved() },
            Verdict::Unknown,
        ),
        (
            "another one's decline",
            Payment { request_id: None, success: None, payment_status: status("Declined"), ..approved() },
            Verdict::Unknown,
        ),
        ("voided", Payment { payment_status: status("Voided"), ..approved() }, Verdict::Reversed),
        (
            "declined, with another amount",
            Payment {
                success: Some(false),
                payment_status: status("Declined"),
                payment_amount: "0.01".parse().ok(),
                ..approved()
            },
            Verdict::Unknown,
        ),
        (
            "a refund",
            Payment { original_payment_id: "20411874".parse().ok(), ..approved() },
            Verdict::Unknown,
        ),
        (
            "failed and processing",
            Payment { success: Some(false), payment_status: status("Processing"), ..approved() },
            Verdict::Unknown,
        ),
    ];
    for (what, told, verdict) in &cases {
        assert_eq!(expected().judge(told), *verdict, "{what}");
    }
    // If the payer decides the amount, any amount is accepted, but one is required.
    let open = Expected { amount: None, ..expected() };
    assert_eq!(open.judge(&approved()), Verdict::Approved);
    assert_eq!(open.judge(&Payment { payment_amount: None, ..approved() }), Verdict::Unknown);
}

proptest! {
    /// The only way from pending to paid is an approval of this request and this amount.
    ///
    /// Holds: A page is paid only by an approval with its request id and its amount.
    #[test]
    fn only_a_matching_approval_pays(told in proptest::collection::vec(payment(), 0..6)) {
        let verdict = told.iter().map(|payment| expected().judge(payment)).max();
        let matching = |payment: &Payment, words: &[PaymentStatus]| {
            payment.payment_status.as_ref().is_some_and(|status| words.contains(status))
                && payment.success != Some(false)
                && payment.payment_id.is_some()
                && payment.request_id == approved().request_id
                && payment.payment_amount == approved().payment_amount
        };
        let paid = told.iter().any(|payment| matching(payment, &[PaymentStatus::APPROVED]));
        let reversed = told.iter().any(|payment| matching(payment, &[PaymentStatus::VOIDED, PaymentStatus::REFUNDED]));
        prop_assert_eq!(verdict >= Some(Verdict::Approved), paid || reversed);
    }

    /// A search approves a payment only if one of its records is approved and no other payment may have moved money.
    #[test]
    fn a_search_approves_one_payment_or_none(records in proptest::collection::vec(payment(), 0..6)) {
        let approves = records.iter().any(|record| expected().judge(record) >= Verdict::Approved);
        match expected().find(&records) {
            Ok(found) => {
                let verdict = found.map(|(verdict, _)| verdict);
                prop_assert!(verdict < Some(Verdict::Approved) || approves);
                prop_assert_eq!(verdict.is_none(), records.is_empty());
                let all_declined = records.iter().all(|record| expected().judge(record) == Verdict::Declined);
                prop_assert!(verdict != Some(Verdict::Declined) || all_declined);
            }
            Err(several) => prop_assert!(several.payment_ids().len() > 1),
        }
    }

    /// The verdict does not depend on the order and the number of reports, and more reports never lower it.
    #[test]
    fn what_is_known_grows_only(
        told in proptest::collection::vec(payment(), 1..6),
        seed in any::<proptest::sample::Index>(),
    ) {
        let verdict = |told: &[Payment]| told.iter().map(|payment| expected().judge(payment)).max();
        let mut again = told.clone();
        again.rotate_left(seed.index(told.len()));
        again.extend(told.iter().rev().cloned());
        prop_assert_eq!(verdict(&again), verdict(&told));
        for known in 0..told.len() {
            prop_assert!(verdict(&told[..known]) <= verdict(&told));
        }
    }
}

/// A record of a search: its payment, its status, its amount and its surcharge.
fn record(id: &str, status: &str, amount: &str, surcharge: &str) -> Payment {
    Payment {
        success: None,
        payment_id: id.parse().ok(),
        payment_status: Some(PaymentStatus::reported(status)),
        payment_amount: amount.parse().ok(),
        surcharge_amount: surcharge.parse().ok(),
        ..approved()
    }
}

#[test]
#[rustfmt::skip]
fn what_the_records_of_a_request_tell() {
    use Verdict::{Approved, Declined, Pending, Reversed, Unknown};
    const AMOUNT: &str = "540.25";
    let paid = |id: &str| record(id, "Approved", AMOUNT, "0");
    let declined = |id: &str| record(id, "Declined", AMOUNT, "0");
    let another = |payment: Payment| Payment { request_id: "another".parse().ok(), ..payment };
    let of_none = |payment: Payment| Payment { request_id: None, ..payment };
    let is = |verdict, id: &str| Ok(Some((verdict, id.to_owned())));
    let several = |ids: &[&str]| Err(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    let asked = expected();
    let table = [
        ("none", vec![], Ok(None)),
        ("one", vec![paid("1")], is(Approved, "1")),
        ("the same twice", vec![paid("1"), paid("1")], is(Approved, "1")),
        ("two", vec![paid("1"), paid("2")], several(&["1", "2"])),
        ("three", vec![paid("1"), paid("2"), paid("3")], several(&["1", "2", "3"])),
        ("declines, then one", vec![declined("1"), declined("2"), paid("3")], is(Approved, "3")),
        ("declines, then two", vec![declined("1"), paid("2"), paid("3")], several(&["2", "3"])),
        ("declines", vec![declined("1"), declined("2")], is(Declined, "2")),
        ("a decline, and an attempt under way", vec![declined("1"), record("", "Processing", AMOUNT, "0")], is(Pending, "")),
        ("under way, and made", vec![record("", "Processing", AMOUNT, "0"), paid("2")], is(Approved, "2")),
        ("under way with its id, and made", vec![record("2", "Processing", AMOUNT, "0"), paid("2")], is(Approved, "2")),
        ("under way as another payment, and made", vec![record("1", "Processing", AMOUNT, "0"), paid("2")], several(&["1", "2"])),
        ("a decline, and a new word", vec![declined("1"), record("2", "Held", AMOUNT, "0")], is(Unknown, "2")),
        ("a decline, and another amount", vec![declined("1"), record("2", "Approved", "0.01", "0")], is(Unknown, "2")),
        ("a decline, and an approval without an id", vec![declined("1"), record("", "Approved", AMOUNT, "0")], is(Unknown, "")),
        ("one, and an approval without an id", vec![paid("1"), record("", "Approved", AMOUNT, "0")], is(Unknown, "1")),
        ("one that is declined too", vec![paid("1"), declined("1")], is(Unknown, "1")),
        ("one, given back", vec![paid("1"), record("1", "Refunded", AMOUNT, "0")], is(Reversed, "1")),
        ("one given back, and another", vec![record("1", "Voided", AMOUNT, "0"), paid("2")], several(&["1", "2"])),
        ("one, and another request's", vec![paid("1"), another(paid("2"))], is(Approved, "1")),
        ("one, and nobody's", vec![paid("1"), of_none(paid("2"))], several(&["1", "2"])),
        ("another request's", vec![another(paid("2"))], is(Unknown, "2")),
        ("a decline, and another request's", vec![declined("1"), another(paid("2"))], is(Unknown, "2")),
        ("one with its surcharge", vec![record("1", "Approved", AMOUNT, "16.20"), record("2", "Approved", "16.20", "0")], is(Approved, "1")),
        ("a surcharge that nothing names", vec![paid("1"), record("2", "Approved", "16.20", "0")], several(&["1", "2"])),
        ("two with a surcharge each", vec![record("1", "Approved", AMOUNT, "16.20"), record("2", "Approved", "16.20", "0"), record("3", "Approved", AMOUNT, "16.20")], several(&["1", "3"])),
    ];
    for (what, records, expected) in table {
        for records in [records.clone(), records.into_iter().rev().collect()] {
            let found = asked.find(&records);
            let found = found
                .map(|found| found.map(|(verdict, payment)| (verdict, payment.payment_id.as_ref().map_or("", PaymentId::as_str).to_owned())))
                .map_err(|several| several.payment_ids().iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>());
            match (found, &expected) {
                // The shown decline or stray record depends on the order; the verdict does not.
                (Ok(Some((verdict @ Declined, _))), Ok(Some((told, _)))) => assert_eq!(verdict, *told, "{what}"),
                (Err(mut ids), Err(told)) => {
                    ids.sort();
                    assert_eq!(ids, *told, "{what}");
                }
                (found, told) => assert_eq!(found, *told, "{what}"),
            }
        }
    }
}

fn payment() -> impl Strategy<Value = Payment> {
    let words = prop_oneof![
        Just(None),
        Just(Some("Processing")),
        Just(Some("Approved")),
        Just(Some("Declined")),
        Just(Some("Error")),
        Just(Some("Voided")),
        Just(Some("New word")),
    ];
    let success = prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    let request = prop_oneof![4 => Just(Some(REQUEST)), 1 => Just(None), 1 => Just(Some("another"))];
    let amount = prop_oneof![4 => Just(Some("540.25")), 1 => Just(None), 1 => Just(Some("0.01"))];
    (words, success, request, amount, proptest::option::of(20_411_875..20_411_877_u32)).prop_map(
        |(word, success, request, amount, id)| Payment {
            success,
            request_id: request.map(|text| text.parse().unwrap()),
            payment_id: id.map(|id: u32| id.to_string().parse().unwrap()),
            payment_status: word.map(PaymentStatus::reported),
            payment_amount: amount.map(|text| text.parse().unwrap()),
            ..Payment::default()
        },
    )
}

#[test]
fn no_value_request_builder_or_error_shows_a_secret() {
    const SECRET: &str = "c4a7e1d0-c4a7e1d0";
    const ACCOUNT: &str = "739155501234";
    let payment = || NewPayment::builder().total_amount("1.00");
    let bad_card = || card().card_number("4111111111111112").cvv("73917");
    let bad_check = || e_check().account_number(format!("{ACCOUNT}x")).routing_number(SECRET);
    let credentials =
        || Credentials::builder().integrator_key(SECRET).account_key(SECRET).account_pin(SECRET);
    let customer =
        || CustomerCredentials::builder().integrator_key(SECRET).customer_key(SECRET).customer_pin(SECRET);
    let refused = || credentials().account_pin(format!("{SECRET} {SECRET}"));
    let (built_credentials, built_payment) =
        (credentials().build().unwrap(), payment().credit_card(card().cvv("7391")).build().unwrap());
    let built_method = NewMethod::builder().e_check(e_check().account_number(ACCOUNT)).build().unwrap();
    let refused_error = refused().build().unwrap_err();
    let shown: [&dyn Debug; 21] = [
        &credentials(),
        &built_credentials,
        &built_credentials.fields(),
        &customer(),
        &customer().build().unwrap(),
        &refused(),
        &refused_error,
        &refused_error.to_string(),
        &AccessId::try_from(SECRET).unwrap(),
        &AccessId::try_from(format!("{SECRET}\n{SECRET}")).unwrap_err(),
        &RequestId::try_from(SECRET).unwrap(),
        &RequestId::try_from(format!("{SECRET}/")).unwrap_err(),
        &AccountNumber::try_from(ACCOUNT).unwrap(),
        &AccountNumber::try_from(format!("{ACCOUNT}x")).unwrap_err(),
        &built_payment,
        &built_payment.fields(),
        &built_method,
        &built_method.fields(),
        &payment().credit_card(bad_card()),
        &payment().credit_card(bad_card()).build().unwrap_err(),
        &payment().e_check(bad_check()).build().unwrap_err().to_string(),
    ];
    for value in shown {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            for canary in ["c4a7e1d0", "41111111", "7391"] {
                assert!(!text.contains(canary), "{canary} in {text}");
            }
        }
    }
}
