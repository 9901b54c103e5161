use super::{
    Address, CheckField, CustomerKey, OneTimeToken, PlanKey, PostalAddress, Reference, TokenId,
    paging::Paging,
};
use crate::{
    Amount, CardBrand, CardNumber, Expiry, Flag, InvalidValue, Reported, Rule, SecurityCode, Text, Timestamp,
    Violations, builder::request, key::key, open::open, text::check_brand,
};

key! {
    /// The gateway's id of a card transaction, a decimal number.
    pub struct TransactionId;
}

open! {
    /// What a transaction does. Requests are read in any letter case.
    pub struct TransactionType one of "SALE, AUTH, CAPTURE, FORCED SALE, REFUND, VOID" {
        /// Charges at once.
        SALE = "SALE",
        /// Reserves an amount for a later capture.
        AUTH = "AUTH",
        /// Takes what an authorisation reserved.
        CAPTURE = "CAPTURE",
        /// Charges with an approval obtained elsewhere.
        FORCED_SALE = "FORCED SALE",
        /// Gives money back, after the batch was closed.
        REFUND = "REFUND",
        /// Takes a transaction of an open batch back in full.
        VOID = "VOID",
        /// A refund without an original transaction, as responses name it.
        UNMATCHED_REFUND = "UNMATCHED REFUND",
    }
}

open! {
    /// The outcome of a transaction as the gateway words it.
    pub struct TransactionResult one of "APPROVED, DECLINED, ERROR" {
        /// Money moves.
        APPROVED = "APPROVED",
        /// The issuer or the gateway said no.
        DECLINED = "DECLINED",
        /// It could not be processed.
        ERROR = "ERROR",
    }
}

/// What is charged: a card, or a token that stands for one.
///
/// It converts from a [`CardNumber`], a [`TokenId`], a [`OneTimeToken`], and from text, which is a card if its Luhn check
/// digit is right and it does not begin like a token (`1100`).
#[derive(Debug)]
pub enum ChargeSource {
    /// A card number.
    Card(CardNumber),
    /// A card token.
    Token(TokenId),
    /// A card that the merchant's server never sees, known by the token that a payer's browser or phone got for it.
    OneTimeToken(OneTimeToken),
}

impl From<OneTimeToken> for ChargeSource {
    fn from(token: OneTimeToken) -> Self {
        Self::OneTimeToken(token)
    }
}

impl From<CardNumber> for ChargeSource {
    fn from(card: CardNumber) -> Self {
        Self::Card(card)
    }
}

impl From<TokenId> for ChargeSource {
    fn from(token: TokenId) -> Self {
        Self::Token(token)
    }
}

impl From<&TokenId> for ChargeSource {
    fn from(token: &TokenId) -> Self {
        Self::Token(token.clone())
    }
}

impl TryFrom<&str> for ChargeSource {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        // No card brand begins with 1, and the gateway's tokens all do.
        if text.trim_start().starts_with("11") {
            TokenId::try_from(text.trim()).map(Self::Token)
        } else {
            CardNumber::try_from(text).map(Self::Card)
        }
    }
}

request! {
    /// A sale or an authorisation.
    ///
    /// ```
    /// use perennial_domain::clearent::{Charge, TokenId};
    ///
    /// let token = TokenId::try_from("1100000000555551111").unwrap();
    /// let charge = Charge::builder().amount("25.00").card(&token).exp_date("1230").invoice("inv-1").build().unwrap();
    /// assert_eq!(charge.fields().amount.cents(), 2_500);
    /// ```
    pub struct Charge, ChargeFields, ChargeBuilder {
        required {
            /// How much; zero is for authorisations that only check a card.
            amount: Amount = "amount",
            /// The card, token or one-time token to charge.
            card: ChargeSource = "card",
        }
        optional {
            /// The expiry, `MMYY`; required for a card number, recommended with a token.
            exp_date: Expiry = "exp-date",
            /// The security code.
            csc: SecurityCode = "csc",
            /// The brand, if it is not to be derived from the number.
            card_type: CardBrand = "card-type",
            /// An invoice number, at most 100 characters.
            invoice: Reference = "invoice",
            /// A purchase order number, at most 100 characters.
            purchase_order: Reference = "purchase-order",
            /// Your number of the order.
            order_id: Text = "order-id",
            /// Your number of the customer.
            customer_id: Text = "customer-id",
            /// What is sold.
            description: Text = "description",
            /// Comments.
            comments: Text = "comments",
            /// The buyer's IP address.
            client_ip: Text = "client-ip",
            /// Where the receipt goes.
            email_address: Text = "email-address",
            /// Whether a receipt is sent.
            email_receipt: Flag = "email-receipt",
            /// The sales tax within the amount.
            sales_tax_amount: Amount = "sales-tax-amount",
            /// The tip.
            tip_amount: Amount = "tip-amount",
            /// By which field an earlier charge is looked for, whatever the terminal's settings: `invoice`. One that is
            /// found is answered in place of a new one; see [`Transaction::is_duplicate`].
            check_field: CheckField = "check-field",
            /// Whether a token of the card is created and answered with.
            create_token: Flag = "create-token",
            /// What the card of that token is, for people.
            token_description: Text = "token-description",
            /// Whether the billing address is the shipping address, too. The gateway reports it; what else it does with
            /// it is not known.
            billing_is_shipping: Flag = "billing-is-shipping",
            /// An approval code obtained elsewhere, for a forced sale.
            authorization_code: Text = "authorization-code",
            /// The name of your software.
            software_type: Text = "software-type",
            /// The version of your software.
            software_type_version: Text = "software-type-version",
        }
        nested {
            /// The billing address.
            billing: Address = "billing",
            /// The shipping address.
            shipping: Address = "shipping",
        }
    }
    check |charge, violations| {
        if matches!(charge.card, Some(ChargeSource::Card(_))) && charge.exp_date.is_none() {
            violations.add("exp-date", Rule::Required);
        }
        check_brand(charge.card_type.as_ref(), violations);
    };
}

impl Charge {
    /// Refuses what cannot be a sale: an amount of nothing.
    pub fn check_sale(&self) -> Result<(), Violations> {
        if self.amount.is_zero() { Err(Violations::one("amount", Rule::AmountTooSmall)) } else { Ok(()) }
    }

    /// The brand that was given, or that of the card number.
    pub fn brand(&self) -> Option<CardBrand> {
        self.card_type.clone().or_else(|| match &self.card {
            ChargeSource::Card(card) => card.brand(),
            ChargeSource::Token(_) | ChargeSource::OneTimeToken(_) => None,
        })
    }
}

request! {
    /// Takes what an authorisation reserved.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Capture, CaptureFields, CaptureBuilder {
        required {
            /// The authorisation; required.
            id: TransactionId = "id",
            /// How much; required.
            amount: Amount = "amount",
        }
        optional {
            /// A tip on top.
            tip_amount: Amount = "tip-amount",
            /// The sales tax within the amount.
            sales_tax_amount: Amount = "sales-tax-amount",
        }
    }
    check |capture, violations| {
        if capture.amount.is_some_and(Amount::is_zero) {
            violations.add("amount", Rule::AmountTooSmall);
        }
    };
}

request! {
    /// Gives money back: up to the amount of an earlier transaction (`id`), or to a card (`card`, unmatched).
    pub struct Refund, RefundFields, RefundBuilder {
        required {
            /// How much; required.
            amount: Amount = "amount",
        }
        optional {
            /// The transaction to refund.
            id: TransactionId = "id",
            /// The card, token or one-time token to refund to, without an earlier transaction.
            card: ChargeSource = "card",
            /// The expiry of that card; the vendor's own sample refunds to a card without one.
            exp_date: Expiry = "exp-date",
            /// An invoice number, at most 100 characters.
            invoice: Reference = "invoice",
            /// Your number of the order.
            order_id: Text = "order-id",
            /// Comments.
            comments: Text = "comments",
        }
    }
    check |refund, violations| {
        if refund.amount.is_some_and(Amount::is_zero) {
            violations.add("amount", Rule::AmountTooSmall);
        }
        if refund.id.is_none() && refund.card.is_none() && !violations.names("card") {
            violations.add("id", Rule::Required);
        }
    };
}

request! {
    /// A change to a charge of the open batch: its tip.
    #[derive(Clone, PartialEq, Eq)]
    pub struct TransactionUpdate, TransactionUpdateFields, TransactionUpdateBuilder {
        required {
            /// The tip, instead of the one that it had; required.
            tip_amount: Amount = "tip-amount",
        }
    }
}

/// Takes a transaction of an open batch back in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The transaction.
    pub id: TransactionId,
}

/// Any request of the transactions endpoint; its `type` or its path says which.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransactionRequest {
    /// Charges at once.
    Sale(Charge),
    /// Reserves an amount.
    Auth(Charge),
    /// Charges with an approval obtained elsewhere.
    ForcedSale(Charge),
    /// Takes what was reserved.
    Capture(Capture),
    /// Takes a transaction back, all of it: this amount, if the request says one.
    Void(Void, Option<Amount>),
    /// Gives money back.
    Refund(Refund),
}

/// A card transaction as the gateway reports it. Members that it left out are `None`; its own spellings of codes
/// and times are kept as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Transaction {
    /// The id; missing when the request was refused before it became a transaction.
    pub id: Option<TransactionId>,
    /// What it does.
    pub transaction_type: Option<TransactionType>,
    /// How much.
    pub amount: Option<Amount>,
    /// The outcome.
    pub result: Option<TransactionResult>,
    /// The outcome's code: `000` is approved.
    pub result_code: Option<String>,
    /// The outcome for people.
    pub display_message: Option<String>,
    /// A word on where it stands, such as `Approved`.
    pub status: Option<String>,
    /// The issuer's approval.
    pub authorization_code: Option<String>,
    /// The masked card, `XXXXXXXXXXXX1111`, or its last four digits.
    pub card: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The brand.
    pub card_type: Option<CardBrand>,
    /// The expiry.
    pub exp_date: Option<Reported<Expiry>>,
    /// How the card was read: `0` is keyed in (captures of stored records).
    pub entry_method: Option<String>,
    /// When it was made: `yyyy-MM-dd HH:mm:ss.SSS`, UTC.
    pub created: Option<Timestamp>,
    /// The batch it belongs to, which later answers pad with zeros (`000059`); none if it moved no money.
    pub batch_string_id: Option<String>,
    /// The transaction that this one follows up.
    pub ref_id: Option<TransactionId>,
    /// The amount before it was changed; for a partial approval, the amount that was asked for.
    pub original_amount: Option<Amount>,
    /// Whether only a part of the amount was approved; see [`Transaction::partial`].
    pub partial_approved: Option<bool>,
    /// Whether the amount includes a surcharge that the terminal added.
    pub surcharge_applied: Option<bool>,
    /// The service fee that was added to the amount.
    pub service_fee: Option<Amount>,
    /// The sales tax within the amount.
    pub sales_tax_amount: Option<Amount>,
    /// The tip.
    pub tip_amount: Option<Amount>,
    /// The invoice number.
    pub invoice: Option<String>,
    /// The purchase order number.
    pub purchase_order: Option<String>,
    /// The number of the order; the plan's key for a payment that a plan made.
    pub order_id: Option<String>,
    /// The number of the customer; the customer's key for a payment that a plan made.
    pub customer_id: Option<String>,
    /// What was sold.
    pub description: Option<String>,
    /// Comments.
    pub comments: Option<String>,
    /// What the card of the token that it created is, for people.
    pub token_description: Option<String>,
    /// The email address.
    pub email_address: Option<String>,
    /// The billing address.
    pub billing: Option<PostalAddress>,
    /// The shipping address.
    pub shipping: Option<PostalAddress>,
    /// Whether the billing address is the shipping address, too.
    pub billing_is_shipping: Option<Reported<bool>>,
    /// The software that made it; `Clearent Recurring Engine` for a payment that a plan made.
    pub software_type: Option<String>,
    /// The version of that software.
    pub software_type_version: Option<String>,
    /// The answer of the address check, a letter of [`CheckAnswer::AVS`](super::CheckAnswer::AVS).
    pub avs_result_code: Option<String>,
    /// The same for people.
    pub avs_result_code_description: Option<String>,
    /// The answer of the security code check, a letter of [`CheckAnswer::CSC`](super::CheckAnswer::CSC).
    pub csc_result_code: Option<String>,
    /// The same for people.
    pub csc_result_code_description: Option<String>,
    /// Whether the field that the request had checked makes it a duplicate.
    pub check_field_duplicate: Option<bool>,
    /// Whether it reserves an amount that is neither captured nor voided yet (**inferred**: the vendor names the
    /// member, and its sales have `false`).
    pub pending: Option<bool>,
    /// Whether its batch is settled.
    pub settled: Option<bool>,
    /// Whether it was taken back.
    pub voided: Option<bool>,
    /// Whether it is an authorisation that was taken back.
    pub voided_auth: Option<bool>,
    /// The merchant.
    pub merchant_id: Option<String>,
    /// The terminal.
    pub terminal_id: Option<String>,
    /// The name of the plan that made it.
    pub plan_name: Option<String>,
}

impl Transaction {
    /// Whether this is an earlier transaction, answered because the request looked like a duplicate of it: then nothing
    /// was charged now.
    ///
    /// The gateway says so by its message (`Transaction previously approved`, as the vendor's page "Duplicate Transaction
    /// Settings" and its own clients have it) or by `check-field-duplicate`; a gateway that said neither could not be told
    /// from one that charged. An `invoice` or `order-id` of its own for each charge helps there: the earlier one is
    /// another.
    ///
    /// ```
    /// use perennial_domain::clearent::Transaction;
    ///
    /// let message = |text: &str| Transaction { display_message: Some(text.into()), ..Transaction::default() };
    /// assert!(message("Transaction previously approved").is_duplicate());
    /// assert!(!message("Transaction approved").is_duplicate());
    /// ```
    pub fn is_duplicate(&self) -> bool {
        let says_so = |message: &str| message.eq_ignore_ascii_case(Self::PREVIOUSLY_APPROVED);
        self.check_field_duplicate == Some(true) || self.display_message.as_deref().is_some_and(says_so)
    }

    /// What the gateway says in `display-message` when it answers with an earlier transaction.
    pub const PREVIOUSLY_APPROVED: &'static str = "Transaction previously approved";

    /// The plan that made it, if one did.
    pub fn plan_key(&self) -> Option<PlanKey> {
        let engine =
            self.software_type.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(Self::ENGINE));
        self.order_id.as_deref().filter(|_| engine).and_then(|key| PlanKey::try_from(key).ok())
    }

    /// The customer whose plan made it, if one did.
    pub fn customer_key(&self) -> Option<CustomerKey> {
        self.plan_key().and(self.customer_id.as_deref()).and_then(|key| CustomerKey::try_from(key).ok())
    }

    /// What the gateway's engine calls itself in `software-type`.
    pub const ENGINE: &'static str = "Clearent Recurring Engine";
}

/// Which transactions to list; the gateway keeps them for 90 days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionSearch {
    /// The transaction.
    pub id: Option<TransactionId>,
    /// Transactions of this amount.
    pub amount: Option<Amount>,
    /// Transactions of this type.
    pub transaction_type: Option<TransactionType>,
    /// Transactions of this status.
    pub status: Option<String>,
    /// Transactions of cards with these last four digits.
    pub last_four: Option<String>,
    /// Transactions with this approval.
    pub authorization_code: Option<String>,
    /// Transactions of this invoice.
    pub invoice: Option<String>,
    /// Transactions of this order; a plan's key finds its payments.
    pub order_id: Option<String>,
    /// Transactions with this message for people, such as `Not Sufficient Funds`.
    pub display_message: Option<String>,
    /// The earliest time, `yyyy-MM-dd HH:mm`, or a day. That it is in UTC unless a zone follows (`EST`, `GMT-06:00`) is
    /// **inferred** from the times of answers.
    pub start_date: Option<String>,
    /// The latest time, likewise. That all of its minute, or of its day, belongs to the search is **inferred**.
    pub end_date: Option<String>,
    /// Page and order.
    pub paging: Paging,
}
