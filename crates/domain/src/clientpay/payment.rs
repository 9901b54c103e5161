use super::UsedRequestId;
use super::address::Address;
use super::invoice::Portion;
use super::method::{Card, ECheck, PaymentMethodId, check_one};
use super::options::EmailOptions;
use super::payer::{PayerId, SavedPayer};
use crate::{Amount, Flag, Reported, Rule, Text, builder::unlisted_request as request, key::key, open::open};

key! {
    /// The gateway's id of a payment: digits, as a string.
    pub struct PaymentId;
}

key! {
    /// A kept method by its own id, or the primary method of a payer by the payer's.
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
    /// A payment to make at once, with exactly one of a kept method, a card and a bank account (payment page).
    ///
    /// The table of the payment page lacks the bank account; the eCheck object says that it can be used there.
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
            /// How much, tax included; required.
            total_amount: Amount = "totalAmount",
        }
        optional {
            /// Your own reference, kept with the payment; it can be searched for.
            session_id: Text = "sessionId",
            /// A second one, `customerRefNumber` in answers (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// The part of the total that is tax.
            tax: Portion = "tax",
            /// What is paid for.
            description: Text = "description",
            /// The order's number, as the vendor's application shows it.
            order_id: Text = "orderId",
            /// The kept method, or the payer whose primary method is used.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
        }
        nested {
            /// The card.
            credit_card: Card = "creditCard",
            /// The bank account.
            e_check: ECheck = "eCheck",
            /// The address of the card or account; `billingInformation` on the wire of this one request.
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
    /// A payment to give back in full. One that is not settled is voided; for one that is, there is a refund. Which of
    /// them is not the caller's choice (full refund/void page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct Refund, RefundFields, RefundBuilder {
        required {
            /// The payment; required.
            payment_id: PaymentId = "paymentId",
        }
        optional {
            /// Your own reference, kept with the refund.
            session_id: Text = "sessionId",
            /// A second one.
            customer_id: Text = "customerId",
            /// Whether what is left of a payment that was refunded in part is given back; it is refused otherwise.
            enable_remaining_amount_refunds: Flag = "enableRemainingAmountRefunds",
            /// A note on the refund.
            refund_note: Text = "refundNote",
            /// The order's number, as the vendor's application shows it.
            order_id: Text = "orderId",
            /// Who gets copies of the receipt.
            email_options: EmailOptions = "emailOptions",
        }
    }
}

open! {
    /// What became of a payment. `Approved` and the `Processing` of a first postback are attested, the others are
    /// **inferred**.
    pub struct PaymentStatus one of "Processing, Approved, Declined, Error, Voided, Refunded" {
        /// It is being made.
        PROCESSING = "Processing",
        /// It was made.
        APPROVED = "Approved",
        /// The bank refused it.
        DECLINED = "Declined",
        /// It failed for a technical reason.
        ERROR = "Error",
        /// It was taken back before it was settled.
        VOIDED = "Voided",
        /// It was given back after it was settled.
        REFUNDED = "Refunded",
    }
}

open! {
    /// Whether a page can be paid on. `Completed` is attested, the others are **inferred**.
    pub struct PageStatus one of "Active, Completed, Expired" {
        /// It can be.
        ACTIVE = "Active",
        /// It was paid on.
        COMPLETED = "Completed",
        /// Its time is over, or it was expired.
        EXPIRED = "Expired",
    }
}

/// The kind of method that paid, by its number on the wire. The numbers' meaning is **inferred**.
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

/// A payment, a void or a refund as the gateway reports it: in answers, in what a search finds, and in postbacks.
/// Members that it left out are `None`.
///
/// The members are attested in postbacks only, except for the last three, which are **inferred**.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Payment {
    /// Whether the request came through. It is also true of a payment that is still being made: see
    /// [`Expected::judge`](super::Expected::judge) for what is paid.
    pub success: Option<bool>,
    /// The request that made it.
    pub request_id: Option<UsedRequestId>,
    /// The payment; none while it is being made.
    pub payment_id: Option<PaymentId>,
    /// Your own reference.
    pub session_id: Option<String>,
    /// The second one: that it is the request's `customerId` is **inferred**.
    pub customer_ref_number: Option<String>,
    /// What became of it.
    pub payment_status: Option<PaymentStatus>,
    /// What became of the page that it was made on.
    pub payment_page_url_status: Option<PageStatus>,
    /// When, with the merchant's offset, as the gateway writes it (postbacks: `2024-03-18T10:02:44.1934821-05:00`).
    pub payment_date: Option<String>,
    /// The same moment in UTC.
    pub payment_date_utc: Option<String>,
    /// How it was paid.
    pub payment_method_type: Option<Reported<PaymentKind>>,
    /// A number for the status, whose meaning is not documented.
    pub status_by_type: Option<Reported<u64>>,
    /// How much, tax included.
    pub payment_amount: Option<Amount>,
    /// The tax in it.
    pub payment_tax_amount: Option<Amount>,
    /// The surcharge, which is a payment of its own.
    pub surcharge_amount: Option<Amount>,
    /// The page that it was made on.
    pub payment_page_url: Option<String>,
    /// The payment that a refund gives back.
    pub original_payment_id: Option<PaymentId>,
    /// How much a void or refund gives back.
    pub refund_amount: Option<Amount>,
    /// Why it was declined.
    pub message: Option<String>,
}

impl Payment {
    /// Why it was declined, if it was.
    pub fn decline(&self) -> Option<Decline> {
        let status = self.payment_status.clone()?;
        let declined = [PaymentStatus::DECLINED, PaymentStatus::ERROR].contains(&status);
        declined.then(|| Decline { status, message: self.message.clone() })
    }

    /// Whether the gateway says that it was made. Whether it is the one that was asked for is another question:
    /// [`Expected::judge`](super::Expected::judge).
    pub fn is_approved(&self) -> bool {
        self.payment_status == Some(PaymentStatus::APPROVED)
    }
}

/// Why a payment was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// [`DECLINED`](PaymentStatus::DECLINED) by the bank, or [`ERROR`](PaymentStatus::ERROR).
    pub status: PaymentStatus,
    /// The reason, for the merchant's staff.
    pub message: Option<String>,
}

/// What the gateway posts when something happened on a page: in the browser and to your server, the same content.
///
/// Nobody signs it, and whoever knows the address can post it: it is a hint to look, never proof. A payment has two:
/// one that it is being made, with `success` already true, and one of what became of it. They may come twice, late and
/// in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Postback {
    /// Of a payment page.
    Payment(Box<Payment>),
    /// Of a payer page; its members are **inferred**.
    Payer(SavedPayer),
}

impl Postback {
    /// The request that made the page, to look it up by.
    pub fn request_id(&self) -> Option<&UsedRequestId> {
        match self {
            Self::Payment(payment) => payment.request_id.as_ref(),
            Self::Payer(payer) => payer.request_id.as_ref(),
        }
    }
}
