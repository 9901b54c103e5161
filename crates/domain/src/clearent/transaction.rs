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
    /// The type of a transaction. Requests accept it in any letter case.
    pub struct TransactionType one of "SALE, AUTH, CAPTURE, FORCED SALE, REFUND, VOID" {
        /// Charges at once.
        SALE = "SALE",
        /// Authorizes an amount for a later capture.
        AUTH = "AUTH",
        /// Charges an authorized amount.
        CAPTURE = "CAPTURE",
        /// Charges with an approval obtained elsewhere.
        FORCED_SALE = "FORCED SALE",
        /// Returns money after the batch was closed.
        REFUND = "REFUND",
        /// Cancels a transaction of an open batch in full.
        VOID = "VOID",
        /// A refund without an original transaction, as responses name it.
        UNMATCHED_REFUND = "UNMATCHED REFUND",
    }
}

open! {
    /// The outcome of a transaction, as the gateway words it.
    pub struct TransactionResult one of "APPROVED, DECLINED, ERROR" {
        /// Money moves.
        APPROVED = "APPROVED",
        /// The issuer or the gateway declined it.
        DECLINED = "DECLINED",
        /// The transaction could not be processed.
        ERROR = "ERROR",
    }
}

/// The source of a charge: a card, or a token that represents one.
///
/// Converts from a [`CardNumber`], a [`TokenId`], a [`OneTimeToken`], and from text. Text is a card number if its Luhn
/// check digit is correct and it does not begin like a token (`1100`).
#[derive(Debug)]
pub enum ChargeSource {
    /// A card number.
    Card(CardNumber),
    /// A card token.
    Token(TokenId),
    /// The one-time token that the payer's browser or phone got for a card, so that the merchant's server never sees
    /// the card.
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
        // No card brand begins with 1, and all tokens of the gateway do.
        if text.trim_start().starts_with("11") {
            TokenId::try_from(text.trim()).map(Self::Token)
        } else {
            CardNumber::try_from(text).map(Self::Card)
        }
    }
}

request! {
    /// A request for a sale or an authorization.
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
            /// The amount; zero is allowed only for authorizations that check a card.
            amount: Amount = "amount",
            /// The card, token or one-time token to charge.
            card: ChargeSource = "card",
        }
        optional {
            /// The expiry, `MMYY`; required for a card number, recommended with a token.
            exp_date: Expiry = "exp-date",
            /// The security code.
            csc: SecurityCode = "csc",
            /// The brand, if it cannot be derived from the number.
            card_type: CardBrand = "card-type",
            /// An invoice number, at most 100 characters.
            invoice: Reference = "invoice",
            /// A purchase order number, at most 100 characters.
            purchase_order: Reference = "purchase-order",
            /// Your order number.
            order_id: Text = "order-id",
            /// Your customer number.
            customer_id: Text = "customer-id",
            /// A description of the purchase.
            description: Text = "description",
            /// Comments.
            comments: Text = "comments",
            /// The buyer's IP address.
            client_ip: Text = "client-ip",
            /// The email address for the receipt.
            email_address: Text = "email-address",
            /// Whether a receipt is sent.
            email_receipt: Flag = "email-receipt",
            /// The sales tax within the amount.
            sales_tax_amount: Amount = "sales-tax-amount",
            /// The tip.
            tip_amount: Amount = "tip-amount",
            /// The field by which the gateway looks for an earlier charge, regardless of the terminal's settings:
            /// `invoice`. If it finds one, it returns that charge and makes no new one; see
            /// [`Transaction::is_duplicate`].
            check_field: CheckField = "check-field",
            /// Whether a token of the card is created and returned.
            create_token: Flag = "create-token",
            /// A description of the token's card, for people.
            token_description: Text = "token-description",
            /// Whether the billing address is also the shipping address. The gateway reports the flag; any other effect
            /// is not known.
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
    /// Checks that the request can be a sale: its amount must not be zero.
    pub fn check_sale(&self) -> Result<(), Violations> {
        if self.amount.is_zero() { Err(Violations::one("amount", Rule::AmountTooSmall)) } else { Ok(()) }
    }

    /// The given brand, or the brand of the card number.
    pub fn brand(&self) -> Option<CardBrand> {
        self.card_type.clone().or_else(|| match &self.card {
            ChargeSource::Card(card) => card.brand(),
            ChargeSource::Token(_) | ChargeSource::OneTimeToken(_) => None,
        })
    }
}

request! {
    /// A request to charge an authorized amount.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Capture, CaptureFields, CaptureBuilder {
        required {
            /// The id of the authorization; required.
            id: TransactionId = "id",
            /// The amount; required.
            amount: Amount = "amount",
        }
        optional {
            /// A tip, added to the amount.
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
    /// A request to return money: up to the amount of an earlier transaction (`id`), or to a card (`card`, unmatched).
    pub struct Refund, RefundFields, RefundBuilder {
        required {
            /// The amount; required.
            amount: Amount = "amount",
        }
        optional {
            /// The transaction to refund.
            id: TransactionId = "id",
            /// The card, token or one-time token to refund, without an earlier transaction.
            card: ChargeSource = "card",
            /// The expiry of that card; the vendor's own sample refunds a card without one.
            exp_date: Expiry = "exp-date",
            /// An invoice number, at most 100 characters.
            invoice: Reference = "invoice",
            /// Your order number.
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
    /// An update of a charge in the open batch: its tip.
    #[derive(Clone, PartialEq, Eq)]
    pub struct TransactionUpdate, TransactionUpdateFields, TransactionUpdateBuilder {
        required {
            /// The new tip, which replaces the old one; required.
            tip_amount: Amount = "tip-amount",
        }
    }
}

/// A request to cancel a transaction of an open batch in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The transaction.
    pub id: TransactionId,
}

/// Any request to the transactions endpoint; its `type` or its path determines the variant.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransactionRequest {
    /// Charges at once.
    Sale(Charge),
    /// Authorizes an amount.
    Auth(Charge),
    /// Charges with an approval obtained elsewhere.
    ForcedSale(Charge),
    /// Charges an authorized amount.
    Capture(Capture),
    /// Cancels a transaction in full. The amount is that of the request, if it has one.
    Void(Void, Option<Amount>),
    /// Returns money.
    Refund(Refund),
}

/// A card transaction as the gateway reports it. Members that the gateway omits are `None`; codes and times are text in
/// the gateway's own format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Transaction {
    /// The id; missing if the request was refused before it became a transaction.
    pub id: Option<TransactionId>,
    /// The type of the transaction.
    pub transaction_type: Option<TransactionType>,
    /// The amount.
    pub amount: Option<Amount>,
    /// The outcome.
    pub result: Option<TransactionResult>,
    /// The code of the outcome: `000` is approved.
    pub result_code: Option<String>,
    /// The outcome, for people.
    pub display_message: Option<String>,
    /// The state of the transaction as a word, such as `Approved`.
    pub status: Option<String>,
    /// The issuer's approval code.
    pub authorization_code: Option<String>,
    /// The masked card, `XXXXXXXXXXXX1111`, or its last four digits.
    pub card: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The brand.
    pub card_type: Option<CardBrand>,
    /// The expiry.
    pub exp_date: Option<Reported<Expiry>>,
    /// The way in which the card was read: `0` is keyed in (captures of stored records).
    pub entry_method: Option<String>,
    /// The time of the transaction: `yyyy-MM-dd HH:mm:ss.SSS`, UTC.
    pub created: Option<Timestamp>,
    /// The id of its batch, padded with zeros in later responses (`000059`); `None` if it moved no money.
    pub batch_string_id: Option<String>,
    /// The transaction to which this one refers.
    pub ref_id: Option<TransactionId>,
    /// The amount before a change; for a partial approval, the requested amount.
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
    /// The order number; for a payment made by a plan, the plan's key.
    pub order_id: Option<String>,
    /// The customer number; for a payment made by a plan, the customer's key.
    pub customer_id: Option<String>,
    /// The description of the purchase.
    pub description: Option<String>,
    /// Comments.
    pub comments: Option<String>,
    /// The description of the card of the created token, for people.
    pub token_description: Option<String>,
    /// The email address.
    pub email_address: Option<String>,
    /// The billing address.
    pub billing: Option<PostalAddress>,
    /// The shipping address.
    pub shipping: Option<PostalAddress>,
    /// Whether the billing address is also the shipping address.
    pub billing_is_shipping: Option<Reported<bool>>,
    /// The software that made the transaction; `Clearent Recurring Engine` for a payment made by a plan.
    pub software_type: Option<String>,
    /// The version of that software.
    pub software_type_version: Option<String>,
    /// The result of the address check, a letter of [`CheckAnswer::AVS`](super::CheckAnswer::AVS).
    pub avs_result_code: Option<String>,
    /// The result of the address check, for people.
    pub avs_result_code_description: Option<String>,
    /// The result of the security code check, a letter of [`CheckAnswer::CSC`](super::CheckAnswer::CSC).
    pub csc_result_code: Option<String>,
    /// The result of the security code check, for people.
    pub csc_result_code_description: Option<String>,
    /// Whether it is a duplicate by the `check-field` of the request.
    pub check_field_duplicate: Option<bool>,
    /// Whether it is an authorization that is neither captured nor voided yet (**inferred**: the vendor names the
    /// member, and its sales have `false`).
    pub pending: Option<bool>,
    /// Whether its batch is settled.
    pub settled: Option<bool>,
    /// Whether it was voided.
    pub voided: Option<bool>,
    /// Whether it is an authorization that was voided.
    pub voided_auth: Option<bool>,
    /// The merchant.
    pub merchant_id: Option<String>,
    /// The terminal.
    pub terminal_id: Option<String>,
    /// The name of the plan that made it.
    pub plan_name: Option<String>,
}

impl Transaction {
    /// Whether this is an earlier transaction, returned because the request looked like a duplicate of it. If so,
    /// nothing was charged now.
    ///
    /// The gateway marks a duplicate by its message (`Transaction previously approved`, according to the vendor's page
    /// "Duplicate Transaction Settings" and its own clients) or by `check-field-duplicate`. Without either mark, the
    /// response cannot be distinguished from a new charge. To detect that case, give each charge its own `invoice` or
    /// `order-id`: an earlier charge then has another one.
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

    /// The gateway's `display-message` when it returns an earlier transaction.
    pub const PREVIOUSLY_APPROVED: &'static str = "Transaction previously approved";

    /// The key of the plan that made the transaction, if a plan made it.
    pub fn plan_key(&self) -> Option<PlanKey> {
        let engine =
            self.software_type.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(Self::ENGINE));
        self.order_id.as_deref().filter(|_| engine).and_then(|key| PlanKey::try_from(key).ok())
    }

    /// The key of the customer whose plan made the transaction, if a plan made it.
    pub fn customer_key(&self) -> Option<CustomerKey> {
        self.plan_key().and(self.customer_id.as_deref()).and_then(|key| CustomerKey::try_from(key).ok())
    }

    /// The name of the gateway's recurring engine in `software-type`.
    pub const ENGINE: &'static str = "Clearent Recurring Engine";
}

open! {
    /// The transactions among which a search looks.
    pub struct TransactionLevel one of "terminal, merchant" {
        /// Transactions of the terminal of the API key, which is the default.
        TERMINAL = "terminal",
        /// Transactions of all terminals of the merchant. The key of one terminal may search them (**inferred**).
        MERCHANT = "merchant",
    }
}

/// Criteria for listing transactions; the gateway keeps them for 90 days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionSearch {
    /// The transaction with this id.
    pub id: Option<TransactionId>,
    /// Transactions of the terminal, which is the default, or of all terminals of the merchant: `"merchant".try_into()`.
    pub level: Option<TransactionLevel>,
    /// Transactions with this amount.
    pub amount: Option<Amount>,
    /// Transactions with this type.
    pub transaction_type: Option<TransactionType>,
    /// Transactions with this status.
    pub status: Option<String>,
    /// Transactions of cards with these last four digits.
    pub last_four: Option<String>,
    /// Transactions with this approval code.
    pub authorization_code: Option<String>,
    /// Transactions with this invoice number.
    pub invoice: Option<String>,
    /// Transactions with this order number; a plan's key finds its payments.
    pub order_id: Option<String>,
    /// Transactions with this message for people, such as `Not Sufficient Funds`.
    pub display_message: Option<String>,
    /// The earliest time, `yyyy-MM-dd HH:mm`, or a day. The time zone is UTC unless a zone follows (`EST`,
    /// `GMT-06:00`); UTC is **inferred** from the times in responses.
    pub start_date: Option<String>,
    /// The latest time, in the format of `start_date`. The whole minute or day is included (**inferred**).
    pub end_date: Option<String>,
    /// Page and order.
    pub paging: Paging,
}
