//! Printed members of ClientPay's objects, under the names that requests have for them.

use perennial::clientpay::{
    AccessId, InvoiceDate, OpenInvoice, Page, PageStatus, PayerId, Payment, PaymentId, PaymentKind,
    PaymentMethodId, PaymentStatus, RequestId, SavedPayer, UsedRequestId,
};
use perennial::transport::redact;

use super::record::{IntoRecord, IntoValue, Record, Value, records, texts, values};

/// An access id, which opens the account to any reader.
pub(crate) enum PrintedAccessId {
    Revealed(AccessId),
    Masked,
}

texts! { InvoiceDate PageStatus PaymentId PaymentStatus PayerId UsedRequestId }

values! {
    PaymentKind => |PaymentKind(number)| Value::Number(number),
}

/// A payer without methods has no field for them.
impl IntoValue for Vec<PaymentMethodId> {
    fn into_value(self) -> Option<Value> {
        let ids = || self.iter().map(PaymentMethodId::to_string).collect();
        (!self.is_empty()).then(|| Value::Texts(ids()))
    }
}

impl IntoRecord for PrintedAccessId {
    const COLUMNS: &'static [&'static str] = &["accessId"];
    const OBJECT: &'static str = "access id";

    fn record(self) -> Record {
        match self {
            Self::Revealed(id) => Record::default().with("accessId", id.expose()),
            Self::Masked => Record::default().with("accessId", redact::MASK),
        }
    }
}

impl IntoRecord for RequestId {
    const COLUMNS: &'static [&'static str] = &["requestId"];
    const OBJECT: &'static str = "request id";

    fn record(self) -> Record {
        Record::default().with("requestId", self.expose())
    }
}

records! {
    Page as "page" in ["requestId", "url"] {
        request_id: "requestId",
        url: "url",
    }
}

records! {
    Payment as "payment" in [
        "paymentId", "paymentStatus", "paymentAmount", "sessionId", "paymentDateUtc", "requestId",
    ] {
        payment_id: "paymentId",
        request_id: "requestId",
        payment_status: "paymentStatus",
        payment_amount: "paymentAmount",
        payment_tax_amount: "paymentTaxAmount",
        surcharge_amount: "surchargeAmount",
        refund_amount: "refundAmount",
        original_payment_id: "originalPaymentId",
        message: "message",
        session_id: "sessionId",
        customer_ref_number: "customerRefNumber",
        payment_date: "paymentDate",
        payment_date_utc: "paymentDateUtc",
        payment_method_type: "paymentMethodType",
        status_by_type: "statusByType",
        payment_page_url_status: "paymentPageUrlStatus",
        payment_page_url: "paymentPageUrl",
        success: "success",
    }
}

records! {
    SavedPayer as "payer" in ["payerId", "paymentMethodIds"] {
        payer_id: "payerId",
        payment_method_ids: "paymentMethodIds",
        request_id: "requestId",
        session_id: "sessionId",
        customer_ref_number: "customerRefNumber",
    }
}

records! {
    OpenInvoice as "invoice" in [
        "invoiceNumber", "outstandingBalance", "invoiceDate", "clientName", "matterNumber", "clientID",
    ] {
        invoice_number: "invoiceNumber",
        invoice_date: "invoiceDate",
        outstanding_balance: "outstandingBalance",
        payment_amount: "paymentAmount",
        matter_number: "matterNumber",
        matter_description: "matterDescription",
        client_id: "clientID",
        client_name: "clientName",
        pdf_link: "pdfLink",
        is_multi_pay: "isMultiPay",
        matter_pk: "matterPK",
    }
}
