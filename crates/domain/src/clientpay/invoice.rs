use std::fmt;

use super::code::code;
use super::options::WebAddress;
use crate::{
    Amount, Date, Flag, InvalidValue, NaiveDate, Rule, Text, Violations, builder::unlisted_request as request,
};

/// A day in an invoice: written `yyyy-mm-dd`; parsing also accepts `mm/dd/yyyy` (invoice object).
///
/// ```
/// use perennial_domain::clientpay::InvoiceDate;
///
/// let date = InvoiceDate::try_from("03/11/2024").unwrap();
/// assert_eq!(date, InvoiceDate::try_from("2024-03-11").unwrap());
/// assert_eq!(date.to_string(), "2024-03-11");
/// assert!(InvoiceDate::try_from("3/11/2024").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvoiceDate(Date);

impl InvoiceDate {
    /// The day.
    pub const fn date(self) -> Date {
        self.0
    }
}

impl From<Date> for InvoiceDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl TryFrom<NaiveDate> for InvoiceDate {
    type Error = InvalidValue;

    fn try_from(date: NaiveDate) -> Result<Self, Self::Error> {
        date.try_into().map(Self).map_err(|_: InvalidValue| Rule::InvoiceDateFormat.into())
    }
}

impl TryFrom<&str> for InvoiceDate {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let date = match text.as_bytes() {
            [_, _, b'/', _, _, b'/', _, _, _, _] if text.is_ascii() => {
                Date::try_from(format!("{}-{}-{}", &text[6..], &text[..2], &text[3..5]))
            }
            _ => Date::try_from(text),
        };
        date.map(Self).map_err(|_| Rule::InvoiceDateFormat.into())
    }
}

impl TryFrom<String> for InvoiceDate {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl fmt::Display for InvoiceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A part of a total, such as a tax or a discount: an [`Amount`] that may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Portion(Amount);

impl Portion {
    /// The amount.
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl From<Amount> for Portion {
    fn from(amount: Amount) -> Self {
        Self(amount)
    }
}

impl TryFrom<&str> for Portion {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Amount::reported(text).map(Self)
    }
}

impl TryFrom<String> for Portion {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Checks that the paid amount is not zero and not more than the balance.
fn check_amounts(balance: Option<Amount>, payment: Option<Amount>, violations: &mut Violations) {
    for (field, amount) in [("outstandingBalance", balance), ("paymentAmount", payment)] {
        if amount.is_some_and(Amount::is_zero) {
            violations.add(field, Rule::AmountTooSmall);
        }
    }
    if balance.zip(payment).is_some_and(|(balance, payment)| payment > balance) {
        violations.add("paymentAmount", Rule::AtMost("outstandingBalance"));
    }
}

request! {
    /// An invoice on a payment page (invoice object).
    ///
    /// The outstanding balance is the maximum payment, and also the default of `payment_amount`. The balance is not
    /// checked against the other amounts.
    ///
    /// ```
    /// use perennial_domain::clientpay::Invoice;
    ///
    /// let invoice = Invoice::builder()
    ///     .invoice_number("INV-1")
    ///     .invoice_date("03/04/2024")
    ///     .outstanding_balance("100.00");
    /// assert_eq!(
    ///     invoice.payment_amount("100.01").build().unwrap_err().to_string(),
    ///     "paymentAmount: must be at most outstandingBalance",
    /// );
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct Invoice, InvoiceFields, InvoiceBuilder {
        required {
            /// The number that the payer sees; required.
            invoice_number: Text = "invoiceNumber",
            /// The date of the invoice; required.
            invoice_date: InvoiceDate = "invoiceDate",
            /// The amount left to pay, after discount, tax and earlier payments; required.
            outstanding_balance: Amount = "outstandingBalance",
        }
        optional {
            /// Whether the payer may change the amount; the gateway's default is true.
            editable: Flag = "editable",
            /// The day on which it is due.
            due_date: InvoiceDate = "dueDate",
            /// The sum before tax and discount.
            subtotal_amount: Portion = "subtotalAmount",
            /// The discount.
            discount_amount: Portion = "discountAmount",
            /// The tax.
            tax: Portion = "tax",
            /// The amount to pay now; the gateway's default is the balance.
            payment_amount: Amount = "paymentAmount",
            /// Your id of the client.
            client_id: Text = "clientID",
            /// The client's name.
            client_name: Text = "clientName",
            /// The address of the invoice document, to which the page links.
            pdf_link: WebAddress = "pdfLink",
        }
    }
    check |invoice, violations| check_amounts(invoice.outstanding_balance, invoice.payment_amount, violations);
}

request! {
    /// An invoice of a practice management system on a payment page (connect invoice object).
    #[derive(Clone, PartialEq, Eq)]
    pub struct ConnectInvoice, ConnectInvoiceFields, ConnectInvoiceBuilder {
        required {
            /// The number that the payer sees; required.
            invoice_number: Text = "invoiceNumber",
            /// The date of the invoice; required.
            invoice_date: InvoiceDate = "invoiceDate",
            /// The amount left to pay; required.
            outstanding_balance: Amount = "outstandingBalance",
        }
        optional {
            /// The amount to pay now; the gateway's default is the balance.
            payment_amount: Amount = "paymentAmount",
            /// The matter's number.
            matter_number: Text = "matterNumber",
            /// The description of the matter.
            matter_description: Text = "matterDescription",
            /// Your id of the client.
            client_id: Text = "clientID",
            /// The client's name.
            client_name: Text = "clientName",
            /// The address of the invoice document.
            pdf_link: WebAddress = "pdfLink",
            /// Whether several payers pay it; only for Elite Enterprise; sent as `Y` or `N`.
            is_multi_pay: Flag = "isMultiPay",
            /// The matter's primary key; only for ProLaw.
            matter_pk: Text = "matterPK",
        }
    }
    check |invoice, violations| check_amounts(invoice.outstanding_balance, invoice.payment_amount, violations);
}

request! {
    /// A line on a payment page that is not an invoice (line item object).
    ///
    /// A column without a value on any line is not shown.
    #[derive(Clone, PartialEq, Eq)]
    pub struct LineItem, LineItemFields, LineItemBuilder {
        required {
            /// The total of the line, which is paid unless the payer changes it. The vendor's page does not mark it as
            /// required, but nothing could be paid without it.
            payment_amount: Amount = "paymentAmount",
        }
        optional {
            /// Whether the payer may change the amount; the gateway's default is true.
            editable: Flag = "editable",
            /// Your id of the item.
            item_id: Text = "itemId",
            /// The item's name.
            item_name: Text = "itemName",
            /// The description of the item.
            item_description: Text = "itemDescription",
        }
    }
    check |item, violations| check_amounts(None, item.payment_amount, violations);
}

request! {
    /// The column headings of line items (line item table label object). Each field shows its default.
    #[derive(Clone, PartialEq, Eq)]
    pub struct LineItemLabels, LineItemLabelsFields, LineItemLabelsBuilder {
        optional {
            /// `Item ID`
            item_id_label: Text = "itemIdLabel",
            /// `Item Name`
            item_name_label: Text = "itemNameLabel",
            /// `Item Description`
            item_description_label: Text = "itemDescriptionLabel",
        }
    }
}

code! {
    /// The practice management system to which a page or a search connects.
    pub enum ConnectOption one of "1 (ProLaw), 2 (Enterprise), 3 (3E), 4 (Aderant)" {
        /// ProLaw.
        ProLaw = 1 | "ProLaw",
        /// Elite Enterprise.
        Enterprise = 2 | "Enterprise",
        /// Elite 3E.
        ThreeE = 3 | "3E",
        /// Aderant.
        Aderant = 4 | "Aderant",
    }
}

code! {
    /// The kind of identifier that a connect search compares.
    pub enum SearchOption one of "1 (invoice), 2 (matter), 3 (client)" {
        /// The number of an invoice or statement.
        Invoice = 1 | "invoice",
        /// The id of a matter.
        Matter = 2 | "matter",
        /// The id of a client.
        Client = 3 | "client",
    }
}

request! {
    /// A search for open invoices in a practice management system (connect search page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct ConnectSearch, ConnectSearchFields, ConnectSearchBuilder {
        required {
            /// The system; required.
            connect_option: ConnectOption = "connectOption",
            /// The kind of identifier to search for; required.
            search_option: SearchOption = "searchOption",
            /// The identifier, which must match exactly; required.
            search_text: Text = "searchText",
        }
        optional {
            /// The kind of identifier that filters the results.
            filter_option: SearchOption = "filterOption",
            /// The identifier that filters the results.
            filter_text: Text = "filterText",
        }
    }
}

/// An open invoice found by a connect search. Members that the gateway omits are `None`. The members are those of
/// [`ConnectInvoice`]; their appearance in a response is **inferred**.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[expect(missing_docs, reason = "the fields are those of ConnectInvoice")]
pub struct OpenInvoice {
    pub invoice_number: Option<String>,
    pub invoice_date: Option<InvoiceDate>,
    pub outstanding_balance: Option<Amount>,
    pub payment_amount: Option<Amount>,
    pub matter_number: Option<String>,
    pub matter_description: Option<String>,
    pub client_id: Option<String>,
    pub client_name: Option<String>,
    pub pdf_link: Option<String>,
    pub is_multi_pay: Option<bool>,
    pub matter_pk: Option<String>,
}

impl OpenInvoice {
    /// Converts to the invoice of a connect page, or returns the required members that are missing.
    pub fn to_pay(&self) -> Result<ConnectInvoice, Violations> {
        let Self { invoice_number, invoice_date, outstanding_balance, payment_amount, .. } = self;
        let Self { matter_number, matter_description, client_id, client_name, pdf_link, .. } = self;
        let mut invoice = ConnectInvoice::builder();
        macro_rules! copy {
            ($( $field:ident )*) => { $( if let Some(value) = $field { invoice = invoice.$field(value.clone()); } )* };
        }
        let (is_multi_pay, matter_pk) = (&self.is_multi_pay, &self.matter_pk);
        copy! {
            invoice_number invoice_date outstanding_balance payment_amount matter_number matter_description
            client_id client_name pdf_link is_multi_pay matter_pk
        }
        invoice.build()
    }
}
