use super::UsedRequestId;
use super::address::Address;
use super::invoice::Portion;
use super::method::{Card, ECheck, PaymentMethodId, check_one};
use super::options::EmailOptions;
use super::payer::{PayerId, SavedPayer};
use crate::{
    Amount, Flag, Reported, Rule, Text, Timestamp, builder::unlisted_request as request, key::key, open::open,
};

key! {
    /// The gateway's id of a payment: digits, as a string.
    pub struct PaymentId;
}

key! {
    /// The id of a stored method, or the id of a payer, whose primary method is used.
    pub struct PaymentSource;
}

impl From<&PayerId> for PaymentSource {
    fn from(id: &PayerId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<&PaymentMethodId> for PaymentSource {
    fn from(id: &PaymentMethodId) -> Self {
        Self(id.as_str().to_owned())
    }
}

request! {
    /// A request for a payment that is made at once, with exactly one of a stored method, a card and a bank account
    /// (payment page).
    ///
    /// The table of the payment page does not list the bank account; the eCheck object says that it can be used there.
    ///
    /// ```
    /// use perennial_domain::clientpay::{Card, NewPayment};
    ///
    /// let card = || Card::builder().card_number("4111 1111 1111 1111").expiration_date("0930");
    /// assert!(NewPayment::builder().total_amount("540.25").tax("40.25").credit_card(card()).build().is_ok());
    /// assert_eq!(
    ///     NewPayment::builder().total_amount("40.00").tax("40.25").build().unwrap_err().to_string(),
    ///     "tax: must be at most totalAmount; \
    ///      payerOrPaymentMethodId: is required unless creditCard or eCheck is given",
    /// );
    /// ```
    pub struct NewPayment, NewPaymentFields, NewPaymentBuilder {
        required {
            /// The amount, tax included; required.
            total_amount: Amount = "totalAmount",
        }
        optional {
            /// Your own reference, kept with the payment; it can be searched for.
            session_id: Text = "sessionId",
            /// A second reference, called `customerRefNumber` in responses (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// The part of the total that is tax.
            tax: Portion = "tax",
            /// A description of the purchase.
            description: Text = "description",
            /// The order number, as the vendor's application shows it.
            order_id: Text = "orderId",
            /// The stored method, or the payer whose primary method is used.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
        }
        nested {
            /// The card.
            credit_card: Card = "creditCard",
            /// The bank account.
            e_check: ECheck = "eCheck",
            /// The address of the card or account; called `billingInformation` on the wire only in this request.
            billing_information: Address = "billingInformation",
        }
    }
    check |payment, violations| {
        if payment.total_amount.is_some_and(Amount::is_zero) {
            violations.add("totalAmount", Rule::AmountTooSmall);
        }
        if payment.total_amount.zip(payment.tax).is_some_and(|(total, tax)| tax.amount() > total) {
            violations.add("tax", Rule::AtMost("totalAmount"));
        }
        check_one(&[
            ("payerOrPaymentMethodId", payment.payer_or_payment_method_id.is_some()),
            ("creditCard", payment.credit_card.is_some()),
            ("eCheck", payment.e_check.is_some()),
        ], "creditCard or eCheck", violations);
    };
}

request! {
    /// A request to refund a payment in full. The gateway voids a payment that is not settled and refunds one that is
    /// settled; the caller cannot choose (full refund/void page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct Refund, RefundFields, RefundBuilder {
        required {
            /// The payment; required.
            payment_id: PaymentId = "paymentId",
        }
        optional {
            /// Your own reference, kept with the refund.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
            /// Whether the rest of a partially refunded payment is refunded; otherwise the request is refused.
            enable_remaining_amount_refunds: Flag = "enableRemainingAmountRefunds",
            /// A note on the refund.
            refund_note: Text = "refundNote",
            /// The order number, as the vendor's application shows it.
            order_id: Text = "orderId",
            /// The recipients of receipt copies.
            email_options: EmailOptions = "emailOptions",
        }
    }
}

open! {
    /// The status of a payment. `Approved` and the `Processing` of a first postback are attested; the others are
    /// **inferred**.
    pub struct PaymentStatus one of "Processing, Approved, Declined, Error, Voided, Refunded" {
        /// The payment is in progress.
        PROCESSING = "Processing",
        /// The payment was made.
        APPROVED = "Approved",
        /// The bank declined the payment.
        DECLINED = "Declined",
        /// The payment failed for a technical reason.
        ERROR = "Error",
        /// The payment was voided before it was settled.
        VOIDED = "Voided",
        /// The payment was refunded after it was settled.
        REFUNDED = "Refunded",
    }
}

open! {
    /// The status of a page, which decides whether it can be paid. `Completed` is attested; the others are
    /// **inferred**.
    pub struct PageStatus one of "Active, Completed, Expired" {
        /// The page can be paid.
        ACTIVE = "Active",
        /// The page was paid.
        COMPLETED = "Completed",
        /// The page's time is over, or it was expired by a request.
        EXPIRED = "Expired",
    }
}

/// The kind of the payment method, by its number on the wire. The meaning of the numbers is **inferred**.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PaymentKind(pub u64);

impl PaymentKind {
    /// A card.
    pub const CARD: Self = Self(0);
    /// A bank account.
    pub const E_CHECK: Self = Self(1);
}

impl std::fmt::Display for PaymentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// A payment, a void or a refund as the gateway reports it: in responses, in search results, and in postbacks. Members
/// that the gateway omits are `None`.
///
/// The members are attested in postbacks only, except for the last three, which are **inferred**.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Payment {
    /// Whether the request was accepted. It is also true for a payment in progress: see
    /// [`Expected::judge`](super::Expected::judge) for whether it is paid.
    pub success: Option<bool>,
    /// The request that made the payment.
    pub request_id: Option<UsedRequestId>,
    /// The id of the payment; `None` while it is in progress.
    pub payment_id: Option<PaymentId>,
    /// Your own reference.
    pub session_id: Option<String>,
    /// The second reference: that it is the request's `customerId` is **inferred**.
    pub customer_ref_number: Option<String>,
    /// The status of the payment.
    pub payment_status: Option<PaymentStatus>,
    /// The status of the page on which it was made.
    pub payment_page_url_status: Option<PageStatus>,
    /// The time with the merchant's UTC offset, as the gateway writes it (postbacks:
    /// `2024-03-18T10:02:44.1934821-05:00`).
    pub payment_date: Option<Timestamp>,
    /// The time in UTC.
    pub payment_date_utc: Option<Timestamp>,
    /// The kind of the payment method.
    pub payment_method_type: Option<Reported<PaymentKind>>,
    /// A number for the status; its meaning is not documented.
    pub status_by_type: Option<Reported<u64>>,
    /// The amount, tax included.
    pub payment_amount: Option<Amount>,
    /// The tax within the amount.
    pub payment_tax_amount: Option<Amount>,
    /// The surcharge, which is a separate payment.
    pub surcharge_amount: Option<Amount>,
    /// The page on which it was made.
    pub payment_page_url: Option<String>,
    /// The payment that a refund returns.
    pub original_payment_id: Option<PaymentId>,
    /// The amount of a void or refund.
    pub refund_amount: Option<Amount>,
    /// The reason for a decline.
    pub message: Option<String>,
}

impl Payment {
    /// The reason for the decline, if the payment was declined.
    pub fn decline(&self) -> Option<Decline> {
        let status = self.payment_status.clone()?;
        let declined = [PaymentStatus::DECLINED, PaymentStatus::ERROR].contains(&status);
        declined.then(|| Decline { status, message: self.message.clone() })
    }

    /// Whether the gateway reports it as approved. This does not prove that it is the requested payment: see
    /// [`Expected::judge`](super::Expected::judge).
    pub fn is_approved(&self) -> bool {
        self.payment_status == Some(PaymentStatus::APPROVED)
    }
}

/// The reason why a payment was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// [`DECLINED`](PaymentStatus::DECLINED) by the bank, or [`ERROR`](PaymentStatus::ERROR).
    pub status: PaymentStatus,
    /// The reason, for the merchant's staff.
    pub message: Option<String>,
}

/// A message that the gateway posts after an event on a page, with equal content to the browser and to your server.
///
/// Postbacks are not signed, and anyone who knows the address can post them: treat one as a hint to look up the
/// payment, never as proof. A payment has two postbacks: one while it is in progress, already with `success` true, and
/// one with the outcome. They may arrive twice, late and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Postback {
    /// A postback of a payment page.
    Payment(Box<Payment>),
    /// A postback of a payer page; its members are **inferred**.
    Payer(SavedPayer),
}

impl Postback {
    /// The id of the request that made the page, to look it up.
    pub fn request_id(&self) -> Option<&UsedRequestId> {
        match self {
            Self::Payment(payment) => payment.request_id.as_ref(),
            Self::Payer(payer) => payer.request_id.as_ref(),
        }
    }
}
