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
            /// A second reference, called `customerRefNumber` in responses (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// The payer or the payment method to offer: all methods of a payer, or only this one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, to fill in.
            name_on_account: Text = "nameOnAccount",
            /// The recipients of receipt copies.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The payer's address, to fill in.
            billing_address: Address = "billingAddress",
            /// The appearance and the lifetime of the page.
            page_options: PageOptions = "pageOptions",
            /// The recipients of postbacks.
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
            /// A second reference, called `customerRefNumber` in responses (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// The payer or the payment method to offer: all methods of a payer, or only this one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, to fill in.
            name_on_account: Text = "nameOnAccount",
            /// The recipients of receipt copies.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The column headings. The vendor's page requires the object; it is sent empty if it is not given.
            line_item_table_labels: LineItemLabels = "lineItemTableLabels",
            /// The payer's address, to fill in.
            billing_address: Address = "billingAddress",
            /// The appearance and the lifetime of the page.
            page_options: PageOptions = "pageOptions",
            /// The recipients of postbacks.
            response_options: ResponseOptions = "responseOptions",
        }
        each {
            /// An item; at least one.
            line_item of line_items: LineItem = "lineItems",
        }
    }
}

request! {
    /// A page on which a payer pays invoices of a practice management system, which is notified of the payment (connect
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
            /// A second reference, called `customerRefNumber` in responses (**inferred**). It cannot be searched for.
            customer_id: Text = "customerId",
            /// The payer or the payment method to offer: all methods of a payer, or only this one.
            payer_or_payment_method_id: PaymentSource = "payerOrPaymentMethodId",
            /// The payer's name, to fill in.
            name_on_account: Text = "nameOnAccount",
            /// The recipients of receipt copies.
            email_options: EmailOptions = "emailOptions",
        }
        nested {
            /// The payer's address, to fill in.
            billing_address: Address = "billingAddress",
            /// The appearance and the lifetime of the page.
            page_options: PageOptions = "pageOptions",
            /// The recipients of postbacks.
            response_options: ResponseOptions = "responseOptions",
        }
        each {
            /// An invoice; at least one.
            invoice of invoices: ConnectInvoice = "invoices",
        }
    }
}

request! {
    /// A page on which a payer adds or changes stored methods (payer page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PayerPage, PayerPageFields, PayerPageBuilder {
        optional {
            /// Your own reference, kept with the payer.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
            /// The payer; if omitted, a new one is created.
            payer_id: PayerId = "payerId",
            /// Whether more than one method can be added; the gateway's default is true.
            accept_multiple_methods: Flag = "acceptMultipleMethods",
            /// Whether the name fields of a known payer are hidden; the gateway's default is true.
            hide_payer_name_panel: Flag = "hidePayerNamePanel",
            /// Whether stored methods can be changed; the gateway's default is true.
            allow_edits_to_existing_methods: Flag = "allowEditsToExistingMethods",
        }
        nested {
            /// The appearance and the lifetime of the page.
            page_options: PageOptions = "pageOptions",
            /// The recipients of postbacks.
            response_options: ResponseOptions = "responseOptions",
        }
    }
}

/// A created page. That a response has these members is **inferred** from the postbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Page {
    /// The id of the page, which is also used to expire it.
    pub request_id: UsedRequestId,
    /// The URL for the payer. The request id is in the fragment, after the `#`, which no server logs. Anyone who has
    /// the URL can use the page.
    pub url: String,
}
