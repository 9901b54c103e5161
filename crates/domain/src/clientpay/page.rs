use super::UsedRequestId;
use super::address::Address;
use super::invoice::{ConnectInvoice, ConnectOption, Invoice, LineItem, LineItemLabels};
use super::options::{EmailOptions, PageOptions, ResponseOptions};
use super::payer::PayerId;
use super::payment::PaymentSource;
use crate::{Flag, Text, builder::unlisted_request as request};

request! {
    /// A page on which a payer pays one or more invoices (invoice payment page).
    ///
    /// ```
    /// use perennial_domain::clientpay::{Invoice, InvoicePage, PageOptions};
    ///
    /// let page = InvoicePage::builder()
    ///     .invoice(
    ///         Invoice::builder().invoice_number("INV-1").invoice_date("2024-03-04").outstanding_balance("2490.50"),
    ///     )
    ///     .invoice(Invoice::builder().invoice_number("INV-2").invoice_date("2024-02-30"))
    ///     .page_options(PageOptions::builder().duration(60));
    /// assert_eq!(
    ///     page.build().unwrap_err().to_string(),
    ///     "invoices[1].invoiceDate: must be a date of the calendar written yyyy-mm-dd or mm/dd/yyyy, from 1970 to \
    ///      2199; invoices[1].outstandingBalance: is required; \
    ///      pageOptions.duration: must be a whole number from 900 to 31540000",
    /// );
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct InvoicePage, InvoicePageFields, InvoicePageBuilder {
        optional {
            /// Your own reference, kept with the payment; it can be searched for.
            session_id: Text = "sessionId",
            /// A second one, `customerRefNumber` in answers (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// Whose kept methods are offered: all of a payer, or just the one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, already filled in.
            name_on_account: Text = "nameOnAccount",
            /// Who gets copies of the receipt.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The payer's address, already filled in.
            billing_address: Address = "billingAddress",
            /// How the page looks and how long it lasts.
            page_options: PageOptions = "pageOptions",
            /// Who is told of a payment.
            response_options: ResponseOptions = "responseOptions",
        }
        each {
            /// An invoice; at least one.
            invoice of invoices: Invoice = "invoices",
        }
    }
}

request! {
    /// A page on which a payer pays for items (line item payment page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct LineItemPage, LineItemPageFields, LineItemPageBuilder {
        optional {
            /// Your own reference, kept with the payment; it can be searched for.
            session_id: Text = "sessionId",
            /// A second one, `customerRefNumber` in answers (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// Whose kept methods are offered: all of a payer, or just the one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, already filled in.
            name_on_account: Text = "nameOnAccount",
            /// Who gets copies of the receipt.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The heads of the columns. The vendor's page requires the object; it is sent empty if it is not given.
            line_item_table_labels: LineItemLabels = "lineItemTableLabels",
            /// The payer's address, already filled in.
            billing_address: Address = "billingAddress",
            /// How the page looks and how long it lasts.
            page_options: PageOptions = "pageOptions",
            /// Who is told of a payment.
            response_options: ResponseOptions = "responseOptions",
        }
        each {
            /// An item; at least one.
            line_item of line_items: LineItem = "lineItems",
        }
    }
}

request! {
    /// A page on which a payer pays invoices of a practice management system, which is told of the payment (connect
    /// payment page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct ConnectPage, ConnectPageFields, ConnectPageBuilder {
        required {
            /// The system; required.
            connect_option: ConnectOption = "connectOption",
        }
        optional {
            /// Your own reference, kept with the payment; it can be searched for.
            session_id: Text = "sessionId",
            /// A second one, `customerRefNumber` in answers (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// Whose kept methods are offered: all of a payer, or just the one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, already filled in.
            name_on_account: Text = "nameOnAccount",
            /// Who gets copies of the receipt.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The payer's address, already filled in.
            billing_address: Address = "billingAddress",
            /// How the page looks and how long it lasts.
            page_options: PageOptions = "pageOptions",
            /// Who is told of a payment.
            response_options: ResponseOptions = "responseOptions",
        }
        each {
            /// An invoice; at least one.
            invoice of invoices: ConnectInvoice = "invoices",
        }
    }
}

request! {
    /// A page on which a payer enters or changes the methods that are kept (payer page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PayerPage, PayerPageFields, PayerPageBuilder {
        optional {
            /// Your own reference, kept with the payer.
            session_id: Text = "sessionId",
            /// A second one.
            customer_id: Text = "customerId",
            /// The payer; a new one if it is not given.
            payer_id: PayerId = "payerId",
            /// Whether more than one method can be added; the gateway's default is true.
            accept_multiple_methods: Flag = "acceptMultipleMethods",
            /// Whether the names of a known payer are left out; the gateway's default is true.
            hide_payer_name_panel: Flag = "hidePayerNamePanel",
            /// Whether methods that are kept already can be changed; the gateway's default is true.
            allow_edits_to_existing_methods: Flag = "allowEditsToExistingMethods",
        }
        nested {
            /// How the page looks and how long it lasts.
            page_options: PageOptions = "pageOptions",
            /// Who is told.
            response_options: ResponseOptions = "responseOptions",
        }
    }
}

/// A page that was made. That an answer has these members is **inferred** from the postbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name, which also expires it.
    pub request_id: UsedRequestId,
    /// Where the payer goes. The request id stands behind its `#`, which no server logs: whoever has the URL has the
    /// page.
    pub url: String,
}
