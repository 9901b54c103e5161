//! Requests for pages, in the form of both versions.

use perennial_domain::clientpay::{
    ConnectPage, ConnectPageBuilder, ConnectPageFields, InvoicePage, InvoicePageBuilder, InvoicePageFields,
    LineItemPage, LineItemPageBuilder, LineItemPageFields, PageOptions, PageOptionsBuilder,
    PageOptionsFields, PayerPage, PayerPageBuilder, PayerPageFields, ResponseOptions, ResponseOptionsBuilder,
    ResponseOptionsFields,
};

use super::Session;
use super::fields::Verbatim;
use super::invoice::{Invoice, Labels, LineItem};
use super::method::Address;
use super::session::{Ids, Token, absent, short};
use crate::error::EncodeError;
use crate::member::Many;
use crate::rule::request;
use crate::text::{Bare, Text};

message! {
    /// A request for a page; the path decides which of the members count.
    pub(super) struct PageRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        connect_option: Option<Bare<'a>> = "connectOption",
        invoices: Many<Invoice<'a>> = "invoices",
        line_items: Many<LineItem<'a>> = "lineItems",
        line_item_table_labels: Option<Labels<'a>> = "lineItemTableLabels",
        payer_or_payment_method_id: Option<Text<'a>> = "payerOrPaymentMethodId",
        name_on_account: Option<Text<'a>> = "nameOnAccount",
        billing_address: Option<Address<'a>> = "billingAddress",
        accept_multiple_methods: Option<Bare<'a>> = "acceptMultipleMethods",
        hide_payer_name_panel: Option<Bare<'a>> = "hidePayerNamePanel",
        payer_id: Option<Text<'a>> = "payerId",
        allow_edits_to_existing_methods: Option<Bare<'a>> = "allowEditsToExistingMethods",
        page_options: Option<OptionsMessage<'a>> = "pageOptions",
        email_options: Option<Verbatim<'a>> = "emailOptions",
        response_options: Option<ResponseMessage<'a>> = "responseOptions",
    }
}

message! {
    /// A request for a page in version 1.0. The vendor's page has about five more members, whose names are unknown.
    pub(super) struct PageForm<'a> as "" in any case with ids: Ids<'a> {
        connect_option: Option<Bare<'a>> = "connectOption",
        invoices: Many<Invoice<'a>> = "invoices",
        line_items: Many<LineItem<'a>> = "lineItems",
        cardholder_name: Option<Text<'a>> = "cardholderName",
        billing_address: Option<Text<'a>> = "billingAddress",
        billing_city: Option<Text<'a>> = "billingCity",
        billing_country: Option<Text<'a>> = "billingCountry",
        duration: Option<Bare<'a>> = "duration",
        billing_zip_code: Option<Text<'a>> = "billingZipCode",
        billing_state_code: Option<Text<'a>> = "billingStateCode",
        enable_client_side_post_back: Option<Bare<'a>> = "enableClientSidePostBack",
        client_side_return_address: Option<Text<'a>> = "clientSideReturnAddress",
        hide_customer_header_logo: Option<Bare<'a>> = "hideCustomerHeaderLogo",
    }
}

message! {
    /// The pageOptions object.
    pub(super) struct OptionsMessage<'a> as "pageOptions" in any case {
        header_text: Option<Text<'a>> = "headerText",
        subheader_text: Option<Text<'a>> = "subheaderText",
        footer_text: Option<Text<'a>> = "footerText",
        hide_customer_header_logo: Option<Bare<'a>> = "hideCustomerHeaderLogo",
        duration: Option<Bare<'a>> = "duration",
        styling: Option<Text<'a>> = "styling",
        disable_recaptcha: Option<Bare<'a>> = "disableRecaptcha",
        enable_payer_saving: Option<Bare<'a>> = "enablePayerSaving",
        is_payer_facing: Option<Bare<'a>> = "isPayerFacing",
    }
}

message! {
    /// The responseOptions object.
    pub(super) struct ResponseMessage<'a> as "responseOptions" in any case {
        enable_client_side_post_back: Option<Bare<'a>> = "enableClientSidePostBack",
        client_side_return_address: Option<Text<'a>> = "clientSideReturnAddress",
        server_side_return_address: Option<Text<'a>> = "serverSideReturnAddress",
    }
}

request! {
    PageRequest asks InvoicePage, by InvoicePageFields, InvoicePageBuilder {
        session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account, email_options;
        nested billing_address;
        objects page_options, response_options;
        apart invoices
    }
}

request! {
    PageRequest asks LineItemPage, by LineItemPageFields, LineItemPageBuilder {
        session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account, email_options;
        nested billing_address;
        objects page_options, response_options;
        apart line_item_table_labels, line_items
    }
}

request! {
    PageRequest asks ConnectPage, by ConnectPageFields, ConnectPageBuilder {
        connect_option, session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account,
        email_options;
        nested billing_address;
        objects page_options, response_options;
        apart invoices
    }
}

request! {
    PageRequest asks PayerPage, by PayerPageFields, PayerPageBuilder {
        session_id in token, customer_id in token, payer_id, accept_multiple_methods, hide_payer_name_panel,
        allow_edits_to_existing_methods;
        objects page_options, response_options
    }
}

request! {
    OptionsMessage asks PageOptions, by PageOptionsFields, PageOptionsBuilder {
        header_text, subheader_text, footer_text, hide_customer_header_logo, styling, disable_recaptcha,
        enable_payer_saving, is_payer_facing;
        gateway duration
    }
}

request! {
    ResponseMessage asks ResponseOptions, by ResponseOptionsFields, ResponseOptionsBuilder {
        enable_client_side_post_back, client_side_return_address, server_side_return_address
    }
}

impl<'a> PageRequest<'a> {
    /// The request in version 1.0, unless it has a member that is lost there.
    pub(super) fn in_v1(self, session: Session<'a>) -> Result<PageForm<'a>, EncodeError> {
        let Self {
            token,
            connect_option,
            invoices,
            line_items,
            line_item_table_labels,
            payer_or_payment_method_id,
            name_on_account,
            billing_address,
            accept_multiple_methods: _,
            hide_payer_name_panel: _,
            payer_id: _,
            allow_edits_to_existing_methods: _,
            page_options,
            email_options,
            response_options,
        } = self;
        absent("lineItemTableLabels", line_item_table_labels)?;
        absent("payerOrPaymentMethodId", payer_or_payment_method_id)?;
        absent("emailOptions", email_options)?;
        let Address { address_line1, phone_number, city, state, country, zip_code } =
            billing_address.unwrap_or_default();
        absent("phoneNumber", phone_number)?;
        let OptionsMessage {
            header_text,
            subheader_text,
            footer_text,
            hide_customer_header_logo,
            duration,
            styling,
            disable_recaptcha,
            enable_payer_saving,
            is_payer_facing,
        } = page_options.unwrap_or_default();
        absent("headerText", header_text)?;
        absent("subheaderText", subheader_text)?;
        absent("footerText", footer_text)?;
        absent("styling", styling)?;
        absent("disableRecaptcha", disable_recaptcha)?;
        absent("enablePayerSaving", enable_payer_saving)?;
        absent("isPayerFacing", is_payer_facing)?;
        let ResponseMessage {
            enable_client_side_post_back,
            client_side_return_address,
            server_side_return_address,
        } = response_options.unwrap_or_default();
        absent("serverSideReturnAddress", server_side_return_address)?;
        Ok(PageForm {
            ids: Ids::of(session, token),
            connect_option,
            invoices,
            line_items,
            cardholder_name: short("cardholderName", name_on_account)?,
            billing_address: short("billingAddress", address_line1)?,
            billing_city: short("billingCity", city)?,
            billing_country: short("billingCountry", country)?,
            duration,
            billing_zip_code: zip_code,
            billing_state_code: state,
            enable_client_side_post_back,
            client_side_return_address,
            hide_customer_header_logo,
        })
    }
}

impl<'a> PageForm<'a> {
    /// The ids and the request that version 2 would have.
    pub(super) fn in_v2(self) -> (Ids<'a>, PageRequest<'a>) {
        let Self {
            ids,
            connect_option,
            invoices,
            line_items,
            cardholder_name,
            billing_address,
            billing_city,
            billing_country,
            duration,
            billing_zip_code,
            billing_state_code,
            enable_client_side_post_back,
            client_side_return_address,
            hide_customer_header_logo,
        } = self;
        let request = PageRequest {
            token: Some(ids.token()),
            connect_option,
            invoices,
            line_items,
            name_on_account: cardholder_name,
            billing_address: Some(Address {
                address_line1: billing_address,
                phone_number: None,
                city: billing_city,
                state: billing_state_code,
                country: billing_country,
                zip_code: billing_zip_code,
            }),
            page_options: Some(OptionsMessage {
                hide_customer_header_logo,
                duration,
                ..OptionsMessage::default()
            }),
            response_options: Some(ResponseMessage {
                enable_client_side_post_back,
                client_side_return_address,
                server_side_return_address: None,
            }),
            ..PageRequest::default()
        };
        (ids, request)
    }
}
