//! Requests and responses of each call of the Clearent tree, for the document.

use perennial_domain::Text;
use perennial_domain::clearent::{
    BatchStatus, Capture, Charge, CheckAnswer, CustomerTokenUpdate, CustomerUpdate, DuplicateUpdate,
    NewCustomer, NewCustomerToken, NewPlan, NewToken, PlanForecast, PlanStatus, PlanUpdate, Refund,
    Settlement, TokenUpdate, TransactionLevel, TransactionType, TransactionUpdate,
};
use perennial_domain::field::{Field, Kind, Need};
use perennial_wire::clearent::Operation;

/// A call.
pub(super) struct Call {
    /// The operation.
    pub(super) on: Operation,
    /// Its name, if another call has the operation's name.
    pub(super) name: Option<&'static str>,
    pub(super) about: &'static str,
    /// Its bodies; if there are several, `type` selects one.
    pub(super) body: &'static [&'static Body],
    /// The parameters of its query, except for those of pages.
    pub(super) query: &'static [Field],
    /// The name of the parameter for the sort direction, for lists.
    pub(super) direction: Option<&'static str>,
    /// Its responses, except for the refusals that any call can get; a response without a payload has no body.
    pub(super) answers: &'static [(u16, &'static [Payload])],
    /// The key in its response, and its position, for calls that take a key of this name.
    pub(super) gives: Option<(&'static str, &'static str)>,
}

/// The body of a request.
pub(super) struct Body {
    pub(super) name: &'static str,
    /// The root element in XML.
    pub(super) root: &'static str,
    pub(super) fields: &'static [Field],
    /// Additional or stricter fields of the wire.
    pub(super) also: &'static [Field],
    /// Optional fields of which at least one must be given.
    pub(super) least: &'static [Field],
    pub(super) example: &'static str,
}

impl Body {
    /// Whether an empty body is invalid.
    pub(super) fn asks_for_something(&self) -> bool {
        let mut fields = self.fields.iter().chain(self.also);
        fields.any(|field| field.need == Need::Required) || !self.least.is_empty()
    }
}

/// The content of a response: its name, the members of the payload, and the members beside the payload.
pub(super) struct Payload(
    pub(super) &'static str,
    pub(super) &'static [&'static str],
    pub(super) &'static [&'static str],
);

pub(super) const ERROR: Payload = Payload("error", &["error"], &[]);
const CUSTOMER: Payload = Payload("customer", &["customer"], &[]);
const CUSTOMERS: Payload = Payload("customers", &["customers"], &["page"]);
const TOKEN: Payload = Payload("token", &["tokenResponse"], &[]);
const TOKENS: Payload = Payload("tokens", &["tokens"], &["page"]);
const CUSTOMER_TOKEN: Payload = Payload("customer-token", &["customer-token"], &[]);
const CUSTOMER_TOKENS: Payload = Payload("customer-tokens", &["customer-tokens"], &[]);
const PLAN: Payload = Payload("payment-plan", &["payment-plan"], &[]);
const PLANS: Payload = Payload("payment-plans", &["payment-plans"], &["page"]);
const EXPECTED_RUNS: Payload = Payload("expected-runs", &["expected-runs"], &[]);
const FORECAST: Payload = Payload("plan-forecast", &["plan-forecast"], &[]);
const PAYMENTS: Payload = Payload("payments", &["payments"], &["page"]);
const TRANSACTION: Payload = Payload("transaction", &["transaction"], &[]);
const TRANSACTION_TOKEN: Payload = Payload("transactionToken", &["transaction", "tokenResponse"], &[]);
const DECLINED: Payload = Payload("errorTransaction", &["transaction"], &[]);
const BATCH: Payload = Payload("batch", &["batch"], &[]);
const BATCHES: Payload = Payload("batches", &["batches"], &["page"]);
const AVS_SETTINGS: Payload = Payload("avs-settings", &["avs-settings"], &[]);
const CSC_SETTINGS: Payload = Payload("csc-settings", &["csc-settings"], &[]);
const DUPLICATE_SETTINGS: Payload =
    Payload("check-duplicate-transaction-settings", &["check-duplicate-transaction-settings"], &[]);
const TRANSACTIONS: Payload = Payload("transactions", &["transactions"], &["page"]);

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, need: Need::Optional, kind }
}

pub(super) const fn key(name: &'static str) -> Field {
    optional(name, Kind::Key)
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, need: Need::Required, kind }
}

const fn text(name: &'static str) -> Field {
    optional(name, Kind::Text { max: Text::MAX })
}

const CHARGED: &[(u16, &[Payload])] =
    &[(200, &[TRANSACTION, TRANSACTION_TOKEN, TOKEN]), (400, &[ERROR, DECLINED]), (402, &[DECLINED, ERROR])];
const FOLLOWED_UP: &[(u16, &[Payload])] = &[(200, &[TRANSACTION]), (402, &[ERROR])];

const CALL: Call = Call {
    on: Operation::SearchCustomers,
    name: None,
    about: "",
    body: &[],
    query: &[],
    direction: None,
    answers: &[],
    gives: None,
};

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = &[
    Call { on: Operation::CreateCustomer, about: "Creates a customer.", body: &[&NEW_CUSTOMER],
        answers: &[(201, &[CUSTOMER]), (402, &[ERROR])], gives: Some(("customer-key", "/payload/customer/customer-key")), ..CALL },
    Call { on: Operation::SearchCustomers, about: "Searches customers.", direction: Some("descending"), answers: &[(200, &[CUSTOMERS])],
        query: &[key("customer-key"), text("first-name"), text("last-name"), text("email"), text("phone-number"), text("last-four"), text("exp-date"), text("plan-name")], ..CALL },
    Call { on: Operation::GetCustomer, about: "Reads a customer.", answers: &[(200, &[CUSTOMER])], ..CALL },
    Call { on: Operation::UpdateCustomer, about: "Changes what is given of a customer.", body: &[&CUSTOMER_UPDATE], answers: &[(200, &[CUSTOMER])], ..CALL },
    Call { on: Operation::DeleteCustomer, about: "Deletes a customer without plans and payments.", answers: &[(200, &[CUSTOMER]), (402, &[ERROR])], ..CALL },

    Call { on: Operation::AttachToken, about: "Attaches an existing token to a customer.", body: &[&NEW_CUSTOMER_TOKEN], answers: &[(201, &[CUSTOMER_TOKEN])], ..CALL },
    Call { on: Operation::ListCustomerTokens, about: "Lists the tokens of a customer.", answers: &[(200, &[CUSTOMER_TOKENS])], ..CALL },
    Call { on: Operation::UpdateCustomerToken, about: "Changes what is given of a customer's token.", body: &[&CUSTOMER_TOKEN_UPDATE], answers: &[(200, &[CUSTOMER_TOKEN])], ..CALL },

    Call { on: Operation::CreateToken, about: "Puts a card into the vault.", body: &[&NEW_TOKEN],
        answers: &[(200, &[TOKEN]), (402, &[ERROR])], gives: Some(("token-id", "/payload/tokenResponse/token-id")), ..CALL },
    Call { on: Operation::SearchTokens, about: "Searches tokens.", direction: Some("isDescending"), answers: &[(200, &[TOKENS]), (204, &[])],
        query: &[key("token-id"), text("merchant-legacy-token-id"), optional("updated-start-date", Kind::Date), optional("updated-end-date", Kind::Date), optional("date-filter", Kind::Word(SPANS)), text("date-format")], ..CALL },
    Call { on: Operation::GetToken, about: "Reads a token.", answers: &[(200, &[TOKEN])], ..CALL },
    Call { on: Operation::UpdateToken, about: "Changes customer, status or description of a token; the response has the changed members.", body: &[&TOKEN_UPDATE], answers: &[(200, &[TOKEN])], ..CALL },
    Call { on: Operation::DeleteToken, about: "Deletes a token.", answers: &[(200, &[TOKEN])], ..CALL },

    Call { on: Operation::CreatePlan, about: "Creates a plan.", body: &[&NEW_PLAN],
        answers: &[(201, &[PLAN])], gives: Some(("plan-key", "/payload/payment-plan/plan-key")), ..CALL },
    Call { on: Operation::SearchPlans, about: "Searches plans.", direction: Some("isDescending"), answers: &[(200, &[PLANS])],
        query: &[key("customer-key"), text("customer-name"), key("plan-key"), text("plan-name"), optional("payment-amount", Kind::Amount), optional("status", Kind::Word(PlanStatus::WORDS)), key("token-id")], ..CALL },
    Call { on: Operation::GetPlan, about: "Reads a plan.", answers: &[(200, &[PLAN])], ..CALL },
    Call { on: Operation::UpdatePlan, about: "Changes what is given of a plan.", body: &[&PLAN_UPDATE], answers: &[(200, &[PLAN]), (402, &[ERROR])], ..CALL },
    Call { on: Operation::DeletePlan, about: "Deletes a plan that is not active and has no payments.", answers: &[(200, &[PLAN]), (402, &[ERROR])], ..CALL },
    Call { on: Operation::ExpectedRuns, about: "The charges still to come.", answers: &[(200, &[EXPECTED_RUNS])], ..CALL },

    Call { on: Operation::ListPayments, about: "Searches payments.", direction: Some("isDescending"), query: &[key("customer-key"), key("plan-key")], answers: &[(200, &[PAYMENTS])], ..CALL },
    Call { on: Operation::Forecast, about: "The days on which a plan would charge.", query: PlanForecast::FIELDS, answers: &[(200, &[FORECAST])], ..CALL },

    Call { on: Operation::ListBatches, about: "Lists batches.", direction: Some("isDescending"), query: &[optional("status", Kind::Word(BatchStatus::WORDS))], answers: &[(200, &[BATCHES]), (204, &[])], ..CALL },
    Call { on: Operation::OpenBatch, about: "Reads the open batch.", answers: &[(200, &[BATCH]), (204, &[])], ..CALL },
    Call { on: Operation::SettleBatch, about: "Settles the open batch, if its figures are these.", body: &[&SETTLEMENT], answers: &[(200, &[BATCH]), (402, &[ERROR])], ..CALL },

    Call { on: Operation::Transact, name: Some("transactions.create"), about: "Performs the action of `type`.", body: &[&SALE, &AUTHORIZATION, &FORCED_SALE, &CAPTURE, &VOID, &REFUND], answers: CHARGED, ..CALL },
    Call { on: Operation::Sale, about: "Charges a card or a token.", body: &[&SALE],
        answers: CHARGED, gives: Some(("id", "/payload/transaction/id")), ..CALL },
    Call { on: Operation::ForcedSale, name: Some("transactions.forced-sale"), about: "Charges with an approval obtained elsewhere.", body: &[&FORCED_SALE], answers: CHARGED, ..CALL },
    Call { on: Operation::Auth, about: "Reserves an amount; with an amount of 0.00 it only checks the card.", body: &[&AUTHORIZATION], answers: CHARGED, ..CALL },
    Call { on: Operation::Capture, about: "Captures a reserved amount.", body: &[&CAPTURE], answers: FOLLOWED_UP, ..CALL },
    Call { on: Operation::Void, about: "Voids a transaction in full.", body: &[&VOID], answers: FOLLOWED_UP, ..CALL },
    Call { on: Operation::Refund, about: "Refunds an earlier transaction, or pays money to a card.", body: &[&REFUND], answers: FOLLOWED_UP, ..CALL },
    Call { on: Operation::SearchTransactions, about: "Searches transactions; times such as `2027-01-01 14:05 CST` are taken for days.", direction: Some("isDescending"), answers: &[(200, &[TRANSACTIONS]), (204, &[])],
        query: &[key("id"), optional("level", Kind::Word(TransactionLevel::WORDS)), optional("amount", Kind::Amount), optional("type", Kind::Word(TransactionType::WORDS)), text("status"), text("last-four"), text("authorization-code"), text("invoice"), text("order-id"), text("display-message"), optional("start-date", Kind::Date), optional("end-date", Kind::Date)], ..CALL },
    Call { on: Operation::GetTransaction, about: "Reads a transaction.", answers: &[(200, &[TRANSACTION])], ..CALL },
    Call { on: Operation::UpdateTransaction, about: "Changes the tip of a charge of the open batch.", body: &[&TRANSACTION_UPDATE], answers: &[(200, &[TRANSACTION]), (402, &[ERROR])], ..CALL },

    Call { on: Operation::GetAvsSettings, about: "The results of the address check that are allowed.", answers: &[(200, &[AVS_SETTINGS])], ..CALL },
    Call { on: Operation::UpdateAvsSettings, about: "Sets the results of the address check that are allowed.", body: &[&AVS_UPDATE], answers: &[(200, &[AVS_SETTINGS])], ..CALL },
    Call { on: Operation::GetCscSettings, about: "The results of the security code check that are allowed.", answers: &[(200, &[CSC_SETTINGS])], ..CALL },
    Call { on: Operation::UpdateCscSettings, about: "Sets the results of the security code check that are allowed.", body: &[&CSC_UPDATE], answers: &[(200, &[CSC_SETTINGS])], ..CALL },
    Call { on: Operation::GetDuplicateSettings, about: "The settings that detect duplicate charges.", answers: &[(200, &[DUPLICATE_SETTINGS])], ..CALL },
    Call { on: Operation::UpdateDuplicateSettings, about: "Changes the settings that detect duplicate charges.", body: &[&DUPLICATE_UPDATE], answers: &[(200, &[DUPLICATE_SETTINGS])], ..CALL },
];

const SPANS: &[&str] =
    &["custom_range", "last_24_hours", "yesterday", "last_week", "last_month", "last_180_days"];

const NEW_CUSTOMER: Body = Body {
    name: "NewCustomer",
    root: "customer",
    fields: NewCustomer::FIELDS,
    also: &[],
    least: &[],
    example: r#"{"first-name":"Ada","last-name":"Byron","email":"ada@example.test","phone":"3145550100","comments":"prefers mornings",
        "billing-address":{"street":"1 Loom Street","city":"St Louis","state":"MO","zip":"63101","country":"United States"}}"#,
};

const CUSTOMER_UPDATE: Body = Body {
    name: "CustomerUpdate",
    root: "customer",
    fields: CustomerUpdate::FIELDS,
    also: &[],
    least: CustomerUpdate::FIELDS,
    example: r#"{"first-name":"Augusta"}"#,
};

const NEW_TOKEN: Body = Body {
    name: "NewToken",
    root: "token",
    fields: NewToken::FIELDS,
    also: &[optional("require-avs", Kind::Flag)],
    least: &[],
    example: r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"1230","csc":"999","description":"business card",
        "avs-address":"1 Loom Street","avs-zip":"63101","customer-key":"cust_5a1d7c1e8a0f"}"#,
};

const TOKEN_UPDATE: Body = Body {
    name: "TokenUpdate",
    root: "token",
    fields: TokenUpdate::FIELDS,
    also: &[],
    least: TokenUpdate::FIELDS,
    example: r#"{"description":"old card"}"#,
};

const NEW_CUSTOMER_TOKEN: Body = Body {
    name: "NewCustomerToken",
    root: "customer-token",
    fields: NewCustomerToken::FIELDS,
    also: &[key("customer-key")],
    least: &[],
    example: r#"{"customer-key":"cust_5a1d7c1e8a0f","token-id":"1100000000555551111","exp-date":"1230","card-type":"VISA",
        "last-four-digits":"1111","default":true}"#,
};

const CUSTOMER_TOKEN_UPDATE: Body = Body {
    name: "CustomerTokenUpdate",
    root: "customer-token",
    fields: CustomerTokenUpdate::FIELDS,
    also: &[key("customer-key")],
    least: CustomerTokenUpdate::FIELDS,
    example: r#"{"token-id":"1100000000555551111","default":true}"#,
};

/// A number that a monthly plan may have, and that is only stored.
const fn twelfth(name: &'static str) -> Field {
    optional(name, Kind::Number { min: 1, max: 12 })
}

const NEW_PLAN: Body = Body {
    name: "NewPlan",
    root: "payment-plan",
    fields: NewPlan::FIELDS,
    also: &[twelfth("frequency-month"), twelfth("frequency-week")],
    least: &[],
    example: r#"{"plan-name":"Gold membership","type":"SUBSCRIPTION","customer-key":"cust_5a1d7c1e8a0f","token-id":"1100000000555551111",
        "frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-01","end-date":"2027-12-31","status":"ACTIVE","payment-amount":"50.00"}"#,
};

const PLAN_UPDATE: Body = Body {
    name: "PlanUpdate",
    root: "payment-plan",
    fields: PlanUpdate::FIELDS,
    also: &[twelfth("frequency-month"), twelfth("frequency-week")],
    least: PlanUpdate::FIELDS,
    example: r#"{"plan-name":"Gold 2"}"#,
};

const SETTLEMENT: Body = Body {
    name: "Settlement",
    root: "batch",
    fields: Settlement::FIELDS,
    also: &[],
    least: &[],
    example: r#"{"total-count":"2","net-amount":"5.05"}"#,
};

const TRANSACTION_UPDATE: Body = Body {
    name: "TransactionUpdate",
    root: "transaction",
    fields: TransactionUpdate::FIELDS,
    example: r#"{"tip-amount":"0.08"}"#,
    ..SETTLEMENT
};

const AVS_UPDATE: Body = Body {
    name: "AvsUpdate",
    root: "avs-settings",
    fields: &[
        optional("enabled", Kind::Flag),
        required(
            "response-filters",
            Kind::Object("AvsFilters", &[required("response-filter", Kind::Many(&AVS_FILTER))]),
        ),
    ],
    example: r#"{"enabled":true,"response-filters":{"response-filter":[{"name":"ADDRESS_AND_ZIP_DO_NOT_MATCH","allowed":false}]}}"#,
    ..SETTLEMENT
};
const AVS_FILTER: Kind =
    Kind::Object("AvsFilter", &filter(&names::<{ CheckAnswer::AVS.len() }>(CheckAnswer::AVS)));

const CSC_UPDATE: Body = Body {
    name: "CscUpdate",
    root: "csc-settings",
    fields: &[
        optional("enabled", Kind::Flag),
        required(
            "response-filters",
            Kind::Object("CscFilters", &[required("response-filter", Kind::Many(&CSC_FILTER))]),
        ),
    ],
    example: r#"{"enabled":true,"response-filters":{"response-filter":[{"name":"CSC_NOT_MATCHED","allowed":false}]}}"#,
    ..SETTLEMENT
};
const CSC_FILTER: Kind =
    Kind::Object("CscFilter", &filter(&names::<{ CheckAnswer::CSC.len() }>(CheckAnswer::CSC)));

/// Whether a result of a check is accepted.
const fn filter(names: &'static [&'static str]) -> [Field; 2] {
    [required("name", Kind::Word(names)), required("allowed", Kind::Flag)]
}

const fn names<const N: usize>(answers: &[CheckAnswer]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = answers[index].name;
        index += 1;
    }
    names
}

const DUPLICATE_UPDATE: Body = Body {
    name: "DuplicateUpdate",
    root: "check-duplicate-transaction-settings",
    fields: DuplicateUpdate::FIELDS,
    least: DuplicateUpdate::FIELDS,
    example: r#"{"enabled":true,"time-range-in-minutes":10}"#,
    ..SETTLEMENT
};

const SALE: Body = Body {
    name: "Sale",
    root: "transaction",
    fields: Charge::FIELDS,
    also: &[optional("type", Kind::Word(&["SALE"]))],
    least: &[],
    example: r#"{"type":"SALE","card":"4111111111111111","exp-date":"1230","csc":"999","amount":"25.00","invoice":"inv-1"}"#,
};

const AUTHORIZATION: Body = Body {
    name: "Authorization",
    also: &[optional("type", Kind::Word(&["AUTH"]))],
    example: r#"{"type":"AUTH","card":"4111111111111111","exp-date":"1230","amount":"25.00"}"#,
    ..SALE
};

const FORCED_SALE: Body = Body {
    name: "ForcedSale",
    also: &[
        optional("type", Kind::Word(&["FORCED SALE"])),
        required("authorization-code", Kind::Text { max: Text::MAX }),
    ],
    example: r#"{"type":"FORCED SALE","card":"4111111111111111","exp-date":"1230","amount":"25.00","authorization-code":"APPC10"}"#,
    ..SALE
};

const CAPTURE: Body = Body {
    name: "Capture",
    fields: Capture::FIELDS,
    also: &[optional("type", Kind::Word(&["CAPTURE"]))],
    example: r#"{"type":"CAPTURE","id":"700001","amount":"25.00"}"#,
    ..SALE
};

const VOID: Body = Body {
    name: "Void",
    fields: &[required("id", Kind::Key)],
    also: &[optional("type", Kind::Word(&["VOID"])), optional("amount", Kind::Amount)],
    example: r#"{"type":"VOID","id":"700001"}"#,
    ..SALE
};

const REFUND: Body = Body {
    name: "Refund",
    fields: Refund::FIELDS,
    also: &[optional("type", Kind::Word(&["REFUND"]))],
    least: &[key("id"), key("card")],
    example: r#"{"type":"REFUND","id":"700001","amount":"25.00"}"#,
    ..SALE
};
