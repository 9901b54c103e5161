//! `perennial clientpay page`

use clap::{Args, Subcommand};
use perennial::Builder;
use perennial::ClientPay;
use perennial::clientpay::{
    ConnectPage, InvoicePage, LineItemLabels, LineItemPage, Page, PageOptions, PayerPage, ResponseOptions,
    UsedRequestId,
};

use super::address::BillingAddress;
use super::items::{ConnectInvoices, Invoices, LineItems};
use super::names::{by_option, by_place};
use super::{Under, under};
use crate::commands::criteria::key;
use crate::commands::once::Keyed;
use crate::context::Global;
use crate::failure::Failure;

/// Pages that payers fill in.
#[derive(Debug, Subcommand)]
pub(super) enum Pages {
    /// Creates a page, and prints its URL and its request id
    #[command(subcommand)]
    Create(Box<Create>),
    /// Ends a page early
    #[command(
        after_help = "Example:\n  perennial clientpay page expire 0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11"
    )]
    Expire(Keyed<Named>),
}

/// Kinds of pages.
#[derive(Debug, Subcommand)]
pub(super) enum Create {
    /// Creates a page that takes payment for one or more invoices
    #[command(
        after_help = "Examples:\n  perennial clientpay page create invoice --invoice-number INV-70412 \
        --invoice-date 2027-01-04 \\\n    --outstanding-balance 2490.50 --header-text 'Pay Marsh & Oak LLP'\n  \
        perennial clientpay page create invoice --invoices-file invoices.json"
    )]
    Invoice(Keyed<InvoicePageArguments>),
    /// Creates a page that takes payment for items other than invoices
    #[command(
        after_help = "Example:\n  perennial clientpay page create line-item --item-name Retainer --payment-amount 500.00"
    )]
    LineItem(Keyed<LineItemPageArguments>),
    /// Creates a page that takes payment for invoices of a practice management system
    #[command(after_help = "Example:\n  perennial clientpay page create connect --connect-option 3E \
        --invoice-number INV-70412 \\\n    --invoice-date 2027-01-04 --outstanding-balance 2490.50")]
    Connect(Keyed<ConnectPageArguments>),
    /// Creates a page on which a payer enters or changes stored methods
    #[command(
        after_help = "Example:\n  perennial clientpay page create payer --accept-multiple-methods false"
    )]
    Payer(Keyed<PayerPageArguments>),
}

/// A page by its request id.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The request id that created the page
    #[arg(value_name = "REQUEST-ID")]
    page: String,
}

object! {
    #[command(next_help_heading = "Page")]
    PageOptionFields fills Builder<PageOptions> {
        /// The title
        header_text = "header-text", "TEXT";
        /// The line below the title
        subheader_text = "subheader-text", "TEXT";
        /// The text above the main button
        footer_text = "footer-text", "TEXT";
        /// Whether to hide the firm's logo; the default is true
        hide_customer_header_logo = "hide-customer-header-logo", "BOOL";
        /// The lifetime of the page, from 900 to 31540000
        duration = "duration", "SECONDS";
        /// The id of a style that the vendor assigned; 1 is the standard one
        styling = "styling", "ID";
        /// Whether to turn reCAPTCHA off; the default is true
        disable_recaptcha = "disable-recaptcha", "BOOL";
        /// Whether to offer to store the payer with the method; the default is true
        enable_payer_saving = "enable-payer-saving", "BOOL";
        /// Whether the payer sees the page, and not the firm's staff; the default is true
        is_payer_facing = "is-payer-facing", "BOOL";
    }
}

object! {
    #[command(next_help_heading = "Page")]
    Responses fills Builder<ResponseOptions> {
        /// Whether the window around the page receives a message about a payment; the default is true
        enable_client_side_post_back = "enable-client-side-post-back", "BOOL";
        /// The URL of the window around the page
        client_side_return_address = "client-side-return-address", "URL";
        /// The URL to which the gateway posts the result
        server_side_return_address = "server-side-return-address", "URL";
    }
}

object! {
    #[command(next_help_heading = "Items")]
    Labels fills Builder<LineItemLabels> {
        /// The heading of the column of ids
        item_id_label = "item-id-label", "TEXT";
        /// The heading of the column of names
        item_name_label = "item-name-label", "TEXT";
        /// The heading of the column of descriptions
        item_description_label = "item-description-label", "TEXT";
    }
}

/// Options that all pages have.
#[derive(Debug, Args)]
pub(crate) struct Frame {
    #[command(flatten)]
    options: PageOptionFields,
    #[command(flatten)]
    responses: Responses,
    #[command(flatten)]
    pub(crate) under: Under,
}

/// Applies the options of all pages to a page.
macro_rules! framed {
    ($page:expr, $frame:expr) => {{
        let mut page = $page;
        if let Some(options) = $frame.options.object() {
            page = page.page_options(options);
        }
        if let Some(responses) = $frame.responses.object() {
            page = page.response_options(responses);
        }
        page
    }};
}

impl Frame {
    /// Sets this line below the title, unless another one was given.
    pub(crate) fn or_subheader(mut self, text: String) -> Self {
        self.options.subheader_text.get_or_insert(text);
        self
    }

    /// Applies the options to an invoice page.
    pub(crate) fn around(&self, page: Builder<InvoicePage>) -> Builder<InvoicePage> {
        framed!(page, self)
    }
}

/// Declares the options of a page that takes a payment, and the code that builds it.
macro_rules! payment_page {
    (
        $Arguments:ident makes $Page:ident: $Options:ident fills $Builder:ty, $Items:ident by $item:ident
        { $( $(#[$own_meta:meta])* $own:ident = $long:literal, $value:literal; )* }
        $( and $nested:ident: $Nested:ident )?
    ) => {
        options! {
            $Options fills $Builder {
                $( $(#[$own_meta])* $own = $long, $value; )*
                /// Your own reference, stored with the payment; searches can use it
                session_id = "session-id", "TEXT";
                /// A second reference, which searches cannot use
                customer_id = "customer-id", "TEXT";
                /// The payer whose stored methods the page offers, or the one method to offer
                payer_or_payment_method_id = "payer-or-payment-method-id", "ID";
                /// The initial value of the payer's name
                name_on_account = "name-on-account", "TEXT";
                /// The recipients of copies of the receipt, as a JSON object
                email_options = "email-options", "JSON";
            }
        }

        #[derive(Debug, Args)]
        pub(super) struct $Arguments {
            #[command(flatten)]
            fields: $Options,
            #[command(flatten)]
            items: $Items,
            $( #[command(flatten)]
            $nested: $Nested, )?
            #[command(flatten)]
            billing: BillingAddress,
            #[command(flatten)]
            frame: Frame,
        }

        impl $Arguments {
            fn page(&self) -> Result<$Page, Failure> {
                let mut page = self.fields.fill($Page::builder());
                for item in self.items.read()? {
                    page = page.$item(item);
                }
                $( if let Some(nested) = self.$nested.object() {
                    page = page.$nested(nested);
                } )?
                if let Some(address) = self.billing.address() {
                    page = page.billing_address(address);
                }
                let page = framed!(page, self.frame);
                let named = if self.items.are_listed() { by_place } else { by_option };
                Ok(page.build().map_err(|violations| named(&violations))?)
            }
        }
    };
}

payment_page! { InvoicePageArguments makes InvoicePage: InvoiceFields fills Builder<InvoicePage>, Invoices by invoice {} }

payment_page! {
    LineItemPageArguments makes LineItemPage: LineItemFields fills Builder<LineItemPage>, LineItems by line_item {}
    and line_item_table_labels: Labels
}

payment_page! {
    ConnectPageArguments makes ConnectPage: ConnectFields fills Builder<ConnectPage>, ConnectInvoices by invoice {
        /// The system: ProLaw, Enterprise, 3E, Aderant; required
        connect_option = "connect-option", "SYSTEM";
    }
}

options! {
    PayerFields fills Builder<PayerPage> {
        /// Your own reference, stored with the payer
        session_id = "session-id", "TEXT";
        /// A second reference
        customer_id = "customer-id", "TEXT";
        /// The payer; the default is a new one
        payer_id = "payer-id", "ID";
        /// Whether the payer can add several methods; the default is true
        accept_multiple_methods = "accept-multiple-methods", "BOOL";
        /// Whether to hide the names of a known payer; the default is true
        hide_payer_name_panel = "hide-payer-name-panel", "BOOL";
        /// Whether the payer can change stored methods; the default is true
        allow_edits_to_existing_methods = "allow-edits-to-existing-methods", "BOOL";
    }
}

#[derive(Debug, Args)]
pub(super) struct PayerPageArguments {
    #[command(flatten)]
    fields: PayerFields,
    #[command(flatten)]
    frame: Frame,
}

impl Pages {
    pub(super) async fn run(self, client: &ClientPay, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(client, global).await,
            Self::Expire(Keyed { command, once }) => {
                let id: UsedRequestId = key("<REQUEST-ID>", &command.page)?;
                if let Some(writer) = once.open_clientpay(global, client).await? {
                    let expired = writer.writes().pages().expire(writer.key(), &id).await;
                    return writer.deleted::<Page>(expired).await;
                }
                global.output.deleted::<Page>(client.pages().expire(&id).await?.map(|()| None), id)
            }
        }
    }
}

/// Creates a page, under an operation key if there is one.
macro_rules! create {
    ($client:expr, $global:expr, $once:expr, $method:ident, $page:expr, $id:expr) => {{
        let (client, global, page, id) = ($client, $global, $page, $id);
        if let Some(writer) = $once.open_clientpay(global, client).await? {
            return writer.written(writer.writes().pages().$method(writer.key(), &page).await).await;
        }
        global.output.written(under!(client.pages(), id).$method(&page).await?)
    }};
}
pub(crate) use create;

impl Create {
    async fn run(&self, client: &ClientPay, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Invoice(Keyed { command, once }) => {
                create!(client, global, once, invoices, command.page()?, command.frame.under.id()?)
            }
            Self::LineItem(Keyed { command, once }) => {
                create!(client, global, once, line_items, command.page()?, command.frame.under.id()?)
            }
            Self::Connect(Keyed { command, once }) => {
                create!(client, global, once, connect, command.page()?, command.frame.under.id()?)
            }
            Self::Payer(payer) => of_payer(payer, client, global).await,
        }
    }
}

/// Creates a page for a payer's methods.
pub(super) async fn of_payer(
    Keyed { command, once }: &Keyed<PayerPageArguments>,
    client: &ClientPay,
    global: &Global,
) -> Result<(), Failure> {
    let page = framed!(command.fields.fill(PayerPage::builder()), command.frame);
    let page = page.build().map_err(|violations| by_option(&violations))?;
    create!(client, global, once, payer, page, command.frame.under.id()?)
}
