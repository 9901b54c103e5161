//! Values that the tests share: those of the corpus.

use std::fs;
use std::path::PathBuf;

use perennial_domain::clearent::{
    Address, Capture, Charge, CheckAnswer, CheckUpdate, CustomerKey, CustomerTokenUpdate, CustomerUpdate,
    DuplicateUpdate, NewCustomer, NewCustomerToken, NewPlan, NewToken, OneTimeToken, PlanKey, PlanStatus,
    PlanUpdate, Refund, Settlement, TokenId, TokenUpdate, TransactionId, TransactionRequest,
    TransactionUpdate, Void,
};
use perennial_wire::clearent::{
    Call, ReadError, batch, customer, customer_token, plan, settings, token, transaction,
};
use perennial_wire::{EncodeError, Format, Limits};

pub(crate) const FORMATS: [Format; 2] = [Format::Json, Format::Xml];

pub(crate) const CARD: &str = "4111111111111111";
pub(crate) const CSC: &str = "999";
pub(crate) const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";
pub(crate) const TOKEN: &str = "1100000000555551111";
pub(crate) const PLAN: &str = "plan_3f0f6d1c-5f0e-4f39-9f7e-6a3d1c2b4e5f";
pub(crate) const TRANSACTION: &str = "700001";

pub(crate) fn customer_key() -> CustomerKey {
    CUSTOMER.parse().unwrap()
}

pub(crate) fn token_id() -> TokenId {
    TOKEN.parse().unwrap()
}

pub(crate) fn one_time_token() -> OneTimeToken {
    OneTimeToken::try_from("eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6IjEifQ.c2lnbmF0dXJl").unwrap()
}

pub(crate) fn plan_key() -> PlanKey {
    PLAN.parse().unwrap()
}

pub(crate) fn transaction_id() -> TransactionId {
    TRANSACTION.parse().unwrap()
}

/// A document of the corpus, without the line end that closes its file.
pub(crate) fn corpus(path: &str, format: Format) -> String {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/corpus/clearent", &format!("{path}.{format}")].iter().collect();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim_end().to_owned()
}

pub(crate) fn body(call: &Call) -> &str {
    std::str::from_utf8(call.body.as_ref().expect("the call has a body")).unwrap()
}

/// A request with a body: its golden document, a client's encoder, and a gateway's reader in one format, whose result
/// is encoded again in another.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) write: fn(Format) -> Result<Call, EncodeError>,
    pub(crate) reread: fn(Format, &[u8], Format) -> Result<Call, ReadError>,
}

/// Reads the body of this request as a gateway, and encodes it as our client would.
pub(crate) fn reread(name: &str, from: Format, body: &[u8], to: Format) -> Result<Call, ReadError> {
    let request = REQUESTS.iter().find(|request| request.name == name).expect("a request of the table");
    (request.reread)(from, body, to)
}

macro_rules! reread {
    ($read:expr => |$to:ident, $value:ident| $write:expr) => {
        |from, body, $to| {
            let read: Result<_, ReadError> = $read(from, body, &Limits::default());
            read.map(|$value| $write.expect("what was read can be written"))
        }
    };
}

pub(crate) const REQUESTS: &[Request] = &[
    Request {
        name: "customer-create",
        write: |format| customer::create(format, &new_customer()),
        reread: reread!(customer::read_create => |format, new| customer::create(format, &new)),
    },
    Request {
        name: "customer-update",
        write: |format| {
            let update = CustomerUpdate::builder().first_name("Augusta").build().unwrap();
            customer::update(format, &customer_key(), &update)
        },
        reread: reread!(customer::read_update => |format, new| customer::update(format, &customer_key(), &new)),
    },
    Request {
        name: "token-create",
        write: |format| token::create(format, &new_token()),
        reread: reread!(token::read_create => |format, new| token::create(format, &new)),
    },
    Request {
        name: "token-update",
        write: |format| {
            let update =
                TokenUpdate::builder().description("old card").customer_key(CUSTOMER).build().unwrap();
            token::update(format, &token_id(), &update)
        },
        reread: reread!(token::read_update => |format, new| token::update(format, &token_id(), &new)),
    },
    Request {
        name: "customer-token-attach",
        write: |format| {
            let token = NewCustomerToken::builder()
                .token_id(TOKEN)
                .exp_date("1230")
                .card_type("VISA")
                .last_four_digits("1111")
                .build()
                .unwrap();
            customer_token::attach(format, &customer_key(), &token)
        },
        reread: reread!(customer_token::read_attach => |format, new| {
            customer_token::attach(format, &customer_key(), &new)
        }),
    },
    Request {
        name: "customer-token-update",
        write: |format| {
            let update = CustomerTokenUpdate::builder()
                .token_id(TOKEN)
                .description("travel card")
                .is_default(true)
                .build()
                .unwrap();
            customer_token::update(format, &customer_key(), &update)
        },
        reread: reread!(customer_token::read_update => |format, new| {
            customer_token::update(format, &customer_key(), &new)
        }),
    },
    Request {
        name: "plan-create",
        write: |format| plan::create(format, &new_plan()),
        reread: reread!(plan::read_create => |format, new| plan::create(format, &new)),
    },
    Request {
        name: "plan-update",
        write: |format| {
            let update = PlanUpdate::builder().status("Cancelled").build().unwrap();
            plan::update(format, &plan_key(), &update)
        },
        reread: reread!(plan::read_update => |format, new| plan::update(format, &plan_key(), &new)),
    },
    Request {
        name: "transaction-sale",
        write: |format| {
            let charge = Charge::builder()
                .amount("25.00")
                .card(CARD)
                .exp_date("1230")
                .csc(CSC)
                .software_type("demo")
                .software_type_version("1.0")
                .build()
                .unwrap();
            transaction::sale(format, &charge)
        },
        reread: reread_transaction,
    },
    Request {
        name: "transaction-mobile-sale",
        write: |format| {
            let charge = Charge::builder()
                .amount("25.00")
                .card(one_time_token())
                .order_id("order-1042")
                .software_type("demo")
                .build()
                .unwrap();
            transaction::sale(format, &charge)
        },
        reread: |from, body, to| {
            let read = transaction::read_mobile(from, body, &Limits::default(), None, one_time_token())?;
            Ok(transaction_call(to, read))
        },
    },
    Request {
        name: "transaction-auth",
        write: |format| {
            let charge = Charge::builder().amount("25.00").card(token_id()).exp_date("1230").build().unwrap();
            transaction::auth(format, &charge)
        },
        reread: reread_transaction,
    },
    Request {
        name: "transaction-capture",
        write: |format| {
            let capture =
                Capture::builder().id(TRANSACTION).amount("25.00").tip_amount("4.00").build().unwrap();
            transaction::capture(format, &capture)
        },
        reread: reread_transaction,
    },
    Request {
        name: "transaction-void",
        write: |format| transaction::void(format, &Void { id: transaction_id() }),
        reread: reread_transaction,
    },
    Request {
        name: "transaction-refund",
        write: |format| {
            let refund = Refund::builder().amount("25.00").id(TRANSACTION).build().unwrap();
            transaction::refund(format, &refund)
        },
        reread: reread_transaction,
    },
    Request {
        name: "transaction-update",
        write: |format| {
            let update = TransactionUpdate::builder().tip_amount("0.08").build().unwrap();
            transaction::update(format, &transaction_id(), &update)
        },
        reread: reread!(transaction::read_update => |format, new| {
            transaction::update(format, &transaction_id(), &new)
        }),
    },
    Request {
        name: "settings-avs-update",
        write: |format| {
            let filters =
                [("ADDRESS_AND_FIVE_DIGIT_ZIP_MATCH", true), ("ADDRESS_AND_ZIP_DO_NOT_MATCH", false)];
            settings::update_avs(format, &CheckUpdate::new(CheckAnswer::AVS, Some(true), filters).unwrap())
        },
        reread: reread!(settings::read_update_avs => |format, new| settings::update_avs(format, &new)),
    },
    Request {
        name: "settings-csc-update",
        write: |format| {
            let filters = [("CSC_NOT_MATCHED", false)];
            settings::update_csc(format, &CheckUpdate::new(CheckAnswer::CSC, None, filters).unwrap())
        },
        reread: reread!(settings::read_update_csc => |format, new| settings::update_csc(format, &new)),
    },
    Request {
        name: "settings-duplicates-update",
        write: |format| {
            let update = DuplicateUpdate::builder()
                .enabled(true)
                .check_merchant_level(false)
                .include_invoice(true)
                .use_invoice_instead_of_card(false)
                .time_range_in_minutes("5")
                .if_duplicate_found_respond_with_error(false)
                .build()
                .unwrap();
            settings::update_duplicates(format, &update)
        },
        reread: reread!(settings::read_update_duplicates => |format, new| {
            settings::update_duplicates(format, &new)
        }),
    },
    Request {
        name: "batch-settle",
        write: |format| {
            let settlement = Settlement::builder().total_count("2").net_amount("5.05").build().unwrap();
            batch::settle(format, &settlement)
        },
        reread: reread!(batch::read_settle => |format, settlement| batch::settle(format, &settlement)),
    },
];

/// Reads a transaction by its `type` alone.
pub(crate) fn reread_transaction(from: Format, body: &[u8], format: Format) -> Result<Call, ReadError> {
    Ok(transaction_call(format, transaction::read(from, body, &Limits::default(), None)?))
}

fn transaction_call(format: Format, request: TransactionRequest) -> Call {
    use perennial_domain::clearent::TransactionRequest::{Auth, Capture, ForcedSale, Refund, Sale, Void};
    let call = match request {
        Sale(charge) | ForcedSale(charge) => transaction::sale(format, &charge),
        Auth(charge) => transaction::auth(format, &charge),
        Capture(capture) => transaction::capture(format, &capture),
        Void(void, _) => transaction::void(format, &void),
        Refund(refund) => transaction::refund(format, &refund),
        other => panic!("another request: {other:?}"),
    };
    call.expect("what was read can be written")
}

pub(crate) fn new_customer() -> NewCustomer {
    let address = || {
        Address::builder()
            .first_name("Ada")
            .last_name("Byron")
            .city("St Louis")
            .state("MO")
            .country("United States")
    };
    NewCustomer::builder()
        .first_name("Ada")
        .last_name("Byron")
        .email("ada@example.test")
        .phone("3145550100")
        .comments("prefers mornings")
        .billing_address(
            address()
                .company("Engine Works")
                .street("1 Loom Street")
                .street2("Suite 2")
                .zip("63101")
                .phone("3145550100"),
        )
        .shipping_address(address().street("9 Dock Road").zip("63102").phone("3145550101"))
        .build()
        .unwrap()
}

pub(crate) fn new_token() -> NewToken {
    NewToken::builder()
        .card(CARD)
        .exp_date("1230")
        .csc(CSC)
        .avs_address("1 Loom Street")
        .avs_zip("63101")
        .description("business card")
        .customer_key(CUSTOMER)
        .build()
        .unwrap()
}

pub(crate) fn new_plan() -> NewPlan {
    NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(CUSTOMER)
        .token_id(TOKEN)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-01")
        .status(PlanStatus::ACTIVE)
        .build()
        .unwrap()
}
