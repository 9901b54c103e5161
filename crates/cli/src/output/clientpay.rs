//! What is shown of ClientPay's objects: their members under the names that requests have for them.

use perennial::clientpay::{
    AccessId, InvoiceDate, OpenInvoice, Page, PageStatus, PayerId, Payment, PaymentId, PaymentKind,
    PaymentMethodId, PaymentStatus, RequestId, SavedPayer, UsedRequestId,
};
use perennial::transport::redact;

use super::record::{IntoValue, Record, Shown, Value, texts, values};

/// An access id, which opens the account to whoever reads it.
pub(crate) enum ShownAccessId {
    Revealed(AccessId),
    Masked,
}

texts! { InvoiceDate PageStatus PaymentId PaymentStatus PayerId UsedRequestId }

values! {
    PaymentKind => |PaymentKind(number)| Value::Number(number),
}

impl Shown for ShownAccessId {
    const COLUMNS: &'static [&'static str] = &["accessId"];
    const OBJECT: &'static str = "access id";

    fn record(self) -> Record {
        match self {
            Self::Revealed(id) => Record::default().with("accessId", id.expose()),
            Self::Masked => Record::default().with("accessId", redact::MASK),
        }
    }
}

impl Shown for RequestId {
    const COLUMNS: &'static [&'static str] = &["requestId"];
    const OBJECT: &'static str = "request id";

    fn record(self) -> Record {
        Record::default().with("requestId", self.expose())
    }
}

impl Shown for Page {
    const COLUMNS: &'static [&'static str] = &["requestId", "url"];
    const OBJECT: &'static str = "page";

    fn record(self) -> Record {
        let Self { request_id, url } = self;
        Record::default().with("requestId", request_id).with("url", url)
    }
}

impl Shown for Payment {
    const COLUMNS: &'static [&'static str] =
        &["paymentId", "paymentStatus", "paymentAmount", "sessionId", "paymentDateUtc", "requestId"];
    const OBJECT: &'static str = "payment";

    fn record(self) -> Record {
        let Self {
            success,
            request_id,
            payment_id,
            session_id,
            customer_ref_number,
            payment_status,
            payment_page_url_status,
            payment_date,
            payment_date_utc,
            payment_method_type,
            status_by_type,
            payment_amount,
            payment_tax_amount,
            surcharge_amount,
            payment_page_url,
            original_payment_id,
            refund_amount,
            message,
        } = self;
        Record::default()
            .with("paymentId", payment_id)
            .with("requestId", request_id)
            .with("paymentStatus", payment_status)
            .with("paymentAmount", payment_amount)
            .with("paymentTaxAmount", payment_tax_amount)
            .with("surchargeAmount", surcharge_amount)
            .with("refundAmount", refund_amount)
            .with("originalPaymentId", original_payment_id)
            .with("message", message)
            .with("sessionId", session_id)
            .with("customerRefNumber", customer_ref_number)
            .with("paymentDate", payment_date)
            .with("paymentDateUtc", payment_date_utc)
            .with("paymentMethodType", payment_method_type)
            .with("statusByType", status_by_type)
            .with("paymentPageUrlStatus", payment_page_url_status)
            .with("paymentPageUrl", payment_page_url)
            .with("success", success)
    }
}

impl Shown for SavedPayer {
    const COLUMNS: &'static [&'static str] = &["payerId", "paymentMethodIds"];
    const OBJECT: &'static str = "payer";

    fn record(self) -> Record {
        let Self { request_id, session_id, customer_ref_number, payer_id, payment_method_ids } = self;
        let methods: Vec<String> = payment_method_ids.iter().map(PaymentMethodId::to_string).collect();
        Record::default()
            .with("payerId", payer_id)
            .with("paymentMethodIds", Some(methods).filter(|methods| !methods.is_empty()))
            .with("requestId", request_id)
            .with("sessionId", session_id)
            .with("customerRefNumber", customer_ref_number)
    }
}

impl Shown for OpenInvoice {
    const COLUMNS: &'static [&'static str] =
        &["invoiceNumber", "outstandingBalance", "invoiceDate", "clientName", "matterNumber", "clientID"];
    const OBJECT: &'static str = "invoice";

    fn record(self) -> Record {
        let Self {
            invoice_number,
            invoice_date,
            outstanding_balance,
            payment_amount,
            matter_number,
            matter_description,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay,
            matter_pk,
        } = self;
        Record::default()
            .with("invoiceNumber", invoice_number)
            .with("invoiceDate", invoice_date)
            .with("outstandingBalance", outstanding_balance)
            .with("paymentAmount", payment_amount)
            .with("matterNumber", matter_number)
            .with("matterDescription", matter_description)
            .with("clientID", client_id)
            .with("clientName", client_name)
            .with("pdfLink", pdf_link)
            .with("isMultiPay", is_multi_pay)
            .with("matterPK", matter_pk)
    }
}
