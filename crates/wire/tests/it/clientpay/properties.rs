//! Properties of every message.

use perennial_domain::clientpay::*;
use perennial_domain::{Amount, Timestamp};
use perennial_wire::clientpay::{
    ReadError, Received, Reply, Session, Version, access, page, payer, payment, search,
};
use perennial_wire::{Format, Limits};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::replies::KINDS;
use super::{REQUESTS, access_id, body, corpus};
use crate::properties::shuffled;

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_:-]{1,40}"
}

fn words() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\\u{fffe}\\u{ffff}]{0,12}[a-zé\"\\\\&<]"
}

fn amount() -> impl Strategy<Value = Amount> {
    (1..=99_999_999_999_u64).prop_map(|cents| Amount::from_cents(cents).unwrap())
}

fn date() -> impl Strategy<Value = String> {
    (2000..2100, 1..=12, 1..=28).prop_map(|(year, month, day)| format!("{month:02}/{day:02}/{year}"))
}

macro_rules! given {
    ($builder:expr; $($setter:ident: $value:expr),* $(,)?) => {{
        let builder = $builder;
        $( let builder = match $value { Some(value) => builder.$setter(value), None => builder }; )*
        builder
    }};
}

fn address() -> impl Strategy<Value = AddressBuilder> {
    let states = of(select(vec!["AL", "qc", "DC"]));
    (of(words()), words(), states, of(words())).prop_map(|(line, city, state, zip)| {
        let city = Some(city);
        given!(Address::builder(); address_line1: line, city: city, state: state, zip_code: zip)
    })
}

fn invoice() -> impl Strategy<Value = InvoiceBuilder> {
    let texts = (words(), of(words()), of(words()));
    (texts, date(), of(date()), amount(), of(0..=100_u64), of(any::<bool>())).prop_map(
        |((number, client, name), date, due, balance, percent, editable)| {
            let part = percent.map(|percent| Portion::try_from(format!("0.{:02}", percent % 100)).unwrap());
            let payment = percent.and_then(|percent| Amount::from_cents(balance.cents() * percent / 100).ok());
            let invoice = Invoice::builder().invoice_number(number).invoice_date(date).outstanding_balance(balance);
            given!(invoice; due_date: due, tax: part, payment_amount: payment, editable: editable, client_id: client,
                client_name: name)
        },
    )
}

prop_compose! {
    fn invoice_page()(
        invoices in vec(invoice(), 1..4),
        texts in (of(words()), of(words()), of(words())),
        address in of(address()),
        duration in of(900..=31_540_000_u32),
        logo in of(any::<bool>()),
    ) -> InvoicePage {
        let (session, customer, name) = texts;
        let page = invoices.into_iter().fold(InvoicePage::builder(), InvoicePageBuilder::invoice);
        let options = given!(PageOptions::builder(); duration: duration, hide_customer_header_logo: logo);
        let address = address.filter(|_| duration.is_some());
        given!(page.page_options(options); session_id: session, customer_id: customer, name_on_account: name,
            billing_address: address).build().unwrap()
    }
}

prop_compose! {
    fn new_payment()(
        total in amount(),
        texts in (of(words()), of(words()), of(words())),
        month in 1..=12_u32,
        year in 2000..=2099_i32,
        cvv in of("[0-9]{3,4}"),
        address in of(address()),
    ) -> NewPayment {
        let (session, customer, description) = texts;
        let expiry = perennial_domain::Expiry::new(month, year).unwrap();
        let card = given!(Card::builder().card_number(super::CARD).expiration_date(expiry); cvv: cvv);
        given!(NewPayment::builder().total_amount(total).credit_card(card); session_id: session,
            customer_id: customer, description: description, billing_information: address).build().unwrap()
    }
}

fn group() -> impl Strategy<Value = Group> {
    let fields = select(vec![Field::RequestId, Field::PaymentId, Field::SessionId, Field::PaymentDate]);
    let operators = select(vec![Operator::Is, Operator::IsNot, Operator::Above, Operator::AtMost]);
    let criteria = (fields, operators, words())
        .prop_map(|(field, operator, value)| Condition::from(Criteria::new(field, operator, value).unwrap()));
    let kind = || select(vec![GroupType::And, GroupType::Or]);
    let condition = criteria.prop_recursive(5, 24, 3, move |inner| {
        (kind(), vec(inner, 1..4)).prop_map(|(kind, conditions)| Group::of(kind, conditions).unwrap().into())
    });
    (kind(), vec(condition, 1..4)).prop_map(|(kind, conditions)| Group::of(kind, conditions).unwrap())
}

fn record() -> impl Strategy<Value = Payment> {
    let amounts = (of(amount()), of(amount()), of(amount()));
    let texts = (of(words()), of(words()), of(words()));
    (of(any::<bool>()), of(id()), of(id()), amounts, texts, of(0..9_u64), of(id())).prop_map(
        |(success, request, payment, (amount, tax, refund), (session, customer, message), code, original)| {
            Payment {
                success,
                request_id: request.map(|id| id.parse().unwrap()),
                payment_id: payment.map(|id| id.parse().unwrap()),
                session_id: session,
                customer_ref_number: customer,
                payment_status: code.map(|_| PaymentStatus::APPROVED),
                payment_page_url_status: code.map(|_| PageStatus::COMPLETED),
                payment_date: message.as_deref().map(Timestamp::reported),
                payment_date_utc: message.as_deref().map(Timestamp::reported),
                payment_method_type: code.map(|code| PaymentKind(code).into()),
                status_by_type: code.map(Into::into),
                payment_amount: amount,
                payment_tax_amount: tax,
                surcharge_amount: tax,
                payment_page_url: message.clone(),
                original_payment_id: original.map(|id| id.parse().unwrap()),
                refund_amount: refund,
                message,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Checks that a gateway reads what a client writes, in either version, and that encoding it again gives equal
    /// bytes.
    #[test]
    fn a_request_comes_back(page in invoice_page(), payment in new_payment(), request in id(), group in group()) {
        let (access_id, request) = (access_id(), RequestId::try_from(request).unwrap());
        for version in [Version::V2, Version::V1] {
            let session = Session { version, access_id: &access_id };
            let written = page::invoices(session, &request, &page).unwrap();
            let read = page::read_invoices(version, body(&written).as_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(read.request_id.expose(), request.expose());
            let again = page::invoices(session, &read.request_id, &read.request).unwrap();
            prop_assert_eq!(body(&again), body(&written));

            let written = payment::pay(session, &request, &payment).unwrap();
            let Received { request_id, request, .. } =
                payment::read_pay(version, body(&written).as_bytes(), &Limits::default()).unwrap();
            let again = payment::pay(session, &request_id, &request).unwrap();
            prop_assert_eq!(body(&again), body(&written));
        }
        let session = Session { version: Version::V2, access_id: &access_id };
        let filter = PaymentFilter::builder().group(group).build().unwrap();
        let written = search::count(session, &filter).unwrap();
        let read = search::read_count(body(&written).as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(read.fields().group, filter.fields().group);
    }

    #[test]
    fn a_record_comes_back(payments in vec(record(), 0..4)) {
        for payment in &payments {
            let reply = Reply { success: payment.success, message: payment.message.clone(), errors: vec![], value: payment.clone(), unreadable: vec![] };
            let read = payment::decode(&payment::encode(&reply), &Limits::default()).unwrap();
            prop_assert_eq!(&read.value, payment);
            let postback = Postback::Payment(Box::new(payment.clone()));
            let read = payment::decode_postback(&payment::encode_postback(&postback), &Limits::default());
            prop_assert_eq!(read, Ok(postback));
        }
        let found = search::Found { page_number: Some(1), page_size: Some(100), payments };
        let written = search::encode_results(&Reply::success(Some(found.clone())));
        prop_assert_eq!(search::decode_results(&written, &Limits::default()).unwrap().value, Some(found));
    }

    #[test]
    fn the_order_of_members_does_not_matter(seed: u64) {
        for request in REQUESTS {
            let golden = request.golden();
            let read = request.reread(shuffled(Format::Json, &golden, seed).as_bytes()).unwrap();
            prop_assert_eq!(body(&read), golden);
        }
        for kind in KINDS {
            for name in kind.names {
                let document = corpus(name).unwrap();
                let shuffled = shuffled(Format::Json, &document, seed);
                prop_assert_eq!((kind.read)(shuffled.as_bytes()), (kind.read)(document.as_bytes()), "{}", name);
            }
        }
    }

    /// Checks that any input is read or refused.
    ///
    /// Holds: The readers of ClientPay's messages read or refuse any sequence of bytes without a panic.
    #[test]
    fn any_bytes_are_read_or_refused(
        name in select(REQUESTS.iter().map(|request| request.name).collect::<Vec<_>>()),
        cut in any::<prop::sample::Index>(),
        junk in "[\\[\\]{}\":,0-9a-z\\\\ \\n-]{0,12}",
    ) {
        let golden = corpus(&format!("requests/{name}")).unwrap();
        let at = cut.index(golden.len());
        let mut document = golden.as_bytes()[..at].to_vec();
        document.extend_from_slice(junk.as_bytes());
        document.extend_from_slice(&golden.as_bytes()[at..]);
        for request in REQUESTS {
            let _ = request.reread(&document);
        }
        for kind in KINDS {
            let _ = (kind.read)(&document);
        }
        let _ = payer::read_create(&document, &Limits::default());
        let _ = access::read_access_id(&document, &Limits::default());
    }
}

/// Checks that conditions may be nested as deep as a document may be, and no deeper.
#[test]
fn groups_that_are_too_deep_are_refused() {
    let deep = |levels: usize| {
        let open = r#"{"group":{"type":"and","conditions":["#.repeat(levels);
        let criteria = r#"{"criteria":{"field":1,"operator":1,"value":"r"}}"#;
        format!("{open}{criteria}{}", "]}}".repeat(levels))
    };
    let said = |levels| {
        search::read_count(deep(levels).as_bytes(), &Limits::default()).map(drop).map_err(|e| match e {
            ReadError::InvalidRequest(violations) => violations.to_string(),
            ReadError::Decode(_) => "no document".to_owned(),
        })
    };
    assert_eq!(said(8), Ok(()));
    assert_eq!(said(9), Err("group: must not have more than 8 groups inside one another".into()));
    assert_eq!(said(10_000), Err("no document".into()));
}
