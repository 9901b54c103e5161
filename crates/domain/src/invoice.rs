//! Invoices: requests to a customer to pay, independent of the gateway that processes the payment.

use crate::clearent::{Charge, ChargeBuilder};
use crate::clientpay::Portion;
use crate::text::Reference;
use crate::{Amount, Date, Rule, Text, builder::unlisted_request as request, clientpay};

request! {
    /// A line of an [`Invoice`].
    #[derive(Clone, PartialEq, Eq)]
    pub struct InvoiceLine, InvoiceLineFields, InvoiceLineBuilder {
        required {
            /// A description of the item.
            description: Text = "description",
            /// The price before tax, at least 0.01.
            amount: Amount = "amount",
        }
    }
    check |line, violations| {
        if line.amount.is_some_and(Amount::is_zero) {
            violations.add("amount", Rule::AmountTooSmall);
        }
    };
}

request! {
    /// An invoice. Its lines and its tax add up to the amount to pay.
    ///
    /// It is paid either by a Clearent sale with its number as invoice and order id ([`charge`](Self::charge)), or on a
    /// page of `ClientPay` ([`on_page`](Self::on_page)).
    ///
    /// ```
    /// use perennial_domain::{Invoice, InvoiceLine};
    ///
    /// let invoice = Invoice::builder()
    ///     .number("INV-70412")
    ///     .date("2027-01-04")
    ///     .line(InvoiceLine::builder().description("Decking, 20 boards").amount("400.00"))
    ///     .line(InvoiceLine::builder().description("Labor").amount("250.00"))
    ///     .tax("52.00")
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(invoice.amount().to_string(), "702.00");
    ///
    /// let wrong = Invoice::builder().date("2027-02-30").line(InvoiceLine::builder().amount("0"));
    /// assert_eq!(
    ///     wrong.build().unwrap_err().to_string(),
    ///     "date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199; \
    ///      lines[0].amount: must be at least 0.01; lines[0].description: is required; number: is required",
    /// );
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct Invoice, InvoiceFields, InvoiceBuilder {
        required {
            /// The number, at most 100 characters. It must be unique for each merchant, because the gateway uses it to
            /// report whether an invoice was paid.
            number: Reference = "number",
            /// The date of the invoice.
            date: Date = "date",
        }
        optional {
            /// The day on which it is due.
            due_date: Date = "dueDate",
            /// Your id of the customer.
            customer_id: Text = "customerId",
            /// The customer's name.
            customer_name: Text = "customerName",
            /// The email address for the receipt.
            email_address: Text = "emailAddress",
            /// The tax on all lines.
            tax: Portion = "tax",
        }
        each {
            /// A line; at least one.
            line of lines: InvoiceLine = "lines",
        }
    }
    derived amount: Amount = |invoice, violations| {
        let tax = invoice.tax.map_or(Amount::ZERO, Portion::amount);
        let amount = total(invoice.lines.iter().flatten(), tax);
        if amount.is_none() {
            violations.add("lines", Rule::AmountTooLarge);
        }
        amount
    };
}

/// The sum of lines and tax; `None` if it exceeds the maximum amount.
fn total<'a>(lines: impl IntoIterator<Item = &'a InvoiceLine>, tax: Amount) -> Option<Amount> {
    lines.into_iter().try_fold(tax, |sum, line| sum.checked_add(line.amount))
}

impl Invoice {
    /// The number, under which the invoice is charged and looked up.
    ///
    /// ```
    /// use perennial_domain::{Invoice, InvoiceLine};
    ///
    /// let labor = InvoiceLine::builder().description("Labor").amount("250.00");
    /// let invoice = Invoice::builder().number("INV-70412").date("2027-01-04").line(labor).build().unwrap();
    /// assert_eq!(invoice.number().as_str(), "INV-70412");
    /// assert_eq!(invoice.amount().to_string(), "250.00");
    /// ```
    pub fn number(&self) -> &Reference {
        &self.number
    }

    /// The amount to pay: all lines and the tax.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    fn tax(&self) -> Amount {
        self.tax.map_or(Amount::ZERO, Portion::amount)
    }

    /// Starts the Clearent sale that pays the invoice. Its invoice number and order id are the number of the invoice;
    /// add the card or token.
    ///
    /// ```
    /// use perennial_domain::{Invoice, InvoiceLine};
    ///
    /// let invoice = Invoice::builder()
    ///     .number("INV-70412")
    ///     .date("2027-01-04")
    ///     .line(InvoiceLine::builder().description("Labor").amount("250.00"))
    ///     .build()
    ///     .unwrap();
    /// let charge = invoice.charge().card("4111111111111111").exp_date("1230").build().unwrap();
    /// assert_eq!(charge.fields().order_id.unwrap().as_str(), "INV-70412");
    /// assert_eq!(charge.fields().amount.to_string(), "250.00");
    /// ```
    pub fn charge(&self) -> ChargeBuilder {
        self.complete(Charge::builder())
    }

    /// Completes a sale that already has the card or token.
    pub fn complete(&self, charge: ChargeBuilder) -> ChargeBuilder {
        let mut charge =
            charge.amount(self.amount()).invoice(self.number.as_str()).order_id(self.number.as_str());
        if !self.tax().is_zero() {
            charge = charge.sales_tax_amount(self.tax());
        }
        if let Some(id) = &self.customer_id {
            charge = charge.customer_id(id.as_str());
        }
        match &self.email_address {
            Some(address) => charge.email_address(address.as_str()),
            None => charge,
        }
    }

    /// The lines and the tax as one text for a payment page. The invoices of a page have no lines; the page shows this
    /// text above them as `subheader_text`.
    ///
    /// ```
    /// use perennial_domain::{Invoice, InvoiceLine};
    ///
    /// let line = |what: &str, amount: &str| InvoiceLine::builder().description(what).amount(amount);
    /// let invoice = Invoice::builder()
    ///     .number("INV-70412")
    ///     .date("2027-01-04")
    ///     .line(line("Decking", "400.00"))
    ///     .line(line("Labor", "250.00"))
    ///     .tax("52.00")
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(invoice.lines_text(), "Decking 400.00, Labor 250.00, tax 52.00");
    /// ```
    pub fn lines_text(&self) -> String {
        let lines = self.lines.iter().map(|line| format!("{} {}", line.description.as_str(), line.amount));
        let tax = self.tax.map(|tax| format!("tax {}", tax.amount()));
        lines.chain(tax).collect::<Vec<_>>().join(", ")
    }

    /// Converts to an invoice on a page of `ClientPay`, to be paid in full unless the caller changes that.
    ///
    /// ```
    /// use perennial_domain::clientpay::InvoicePage;
    /// use perennial_domain::{Invoice, InvoiceLine};
    ///
    /// let invoice = Invoice::builder()
    ///     .number("INV-70412")
    ///     .date("2027-01-04")
    ///     .line(InvoiceLine::builder().description("Labor").amount("250.00"))
    ///     .build()
    ///     .unwrap();
    /// let page = InvoicePage::builder().invoice(invoice.on_page()).session_id("INV-70412").build().unwrap();
    /// assert_eq!(page.fields().invoices[0].fields().outstanding_balance.to_string(), "250.00");
    /// ```
    pub fn on_page(&self) -> clientpay::InvoiceBuilder {
        let mut invoice = clientpay::Invoice::builder()
            .invoice_number(self.number.as_str())
            .invoice_date(self.date)
            .outstanding_balance(self.amount())
            .editable(false);
        if let Some(due) = self.due_date {
            invoice = invoice.due_date(due);
        }
        if let Some(tax) = self.tax {
            invoice = invoice.tax(tax);
            if let Some(subtotal) = total(&self.lines, Amount::ZERO) {
                invoice = invoice.subtotal_amount(subtotal);
            }
        }
        if let Some(id) = &self.customer_id {
            invoice = invoice.client_id(id.as_str());
        }
        match &self.customer_name {
            Some(name) => invoice.client_name(name.as_str()),
            None => invoice,
        }
    }
}
