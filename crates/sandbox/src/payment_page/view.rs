//! The payer's view of a page. All received text is escaped, and card and account data is never shown again.

use http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use perennial_domain::Text;
use perennial_domain::clientpay::{PageOptions, PaymentKind};

use super::amounts::{AmountTable, Line};
use super::fill::Problems;
use crate::form::Form;
use crate::page_text::plain;
use crate::store::clientpay::payer::StoredMethod;
use crate::store::clientpay::payment::Booked;

/// The options that set the appearance of a page.
pub(super) struct Branding<'a> {
    header: &'a str,
    subheader: Option<&'a str>,
    styling: &'a str,
    has_logo: bool,
    firm: &'a str,
}

impl<'a> Branding<'a> {
    pub(super) fn of(options: Option<&'a PageOptions>, firm: &'a str) -> Self {
        let fields = options.map(PageOptions::fields);
        let text = |text: Option<&'a Text>| text.map(Text::as_str);
        Self {
            header: fields.as_ref().and_then(|fields| text(fields.header_text)).unwrap_or("Payment"),
            subheader: fields.as_ref().and_then(|fields| text(fields.subheader_text)),
            styling: fields.as_ref().and_then(|fields| text(fields.styling)).unwrap_or("1"),
            has_logo: fields.and_then(|fields| fields.hide_customer_header_logo).is_some_and(|flag| !flag.0),
            firm,
        }
    }
}

pub(super) fn layout(branding: &Branding<'_>, content: &Markup) -> String {
    let Branding { header, subheader, styling, has_logo, firm } = branding;
    let page = html! {
        (DOCTYPE)
        html lang="en" data-styling=(styling) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (header) @if !firm.is_empty() { " - " (firm) } }
                link rel="stylesheet" href="/app/style.css";
            }
            body {
                header {
                    // The firm's own logo is at the vendor's; this is where it stands.
                    @if *has_logo { p.logo aria-hidden="true" { (header.chars().next().unwrap_or('P')) } }
                    @if !firm.is_empty() { p.firm { (firm) } }
                    h1 { (header) }
                    @if let Some(subheader) = subheader { p { (subheader) } }
                }
                main { (content) }
            }
        }
    };
    plain(page.into_string())
}

/// A form for a payment.
pub(super) struct Pay<'a> {
    pub(super) amounts: &'a AmountTable,
    pub(super) offered: &'a [StoredMethod],
    pub(super) form: &'a Form,
    pub(super) problems: &'a Problems,
    pub(super) message: Option<&'a str>,
    pub(super) token: &'a str,
    pub(super) footer: Option<&'a str>,
    pub(super) is_payer_facing: bool,
    pub(super) may_save: bool,
}

pub(super) fn pay(page: &Pay<'_>) -> Markup {
    let Pay { amounts, offered, form, problems, message, token, footer, is_payer_facing, may_save } = page;
    let chosen = match form.text("method") {
        "" => offered
            .iter()
            .find(|method| method.is_primary)
            .or(offered.first())
            .map_or("card", |method| method.id.as_str()),
        chosen => chosen,
    };
    html! {
        (problems_first(problems, *message))
        form method="post" autocomplete="on" novalidate {
            input type="hidden" name="token" value=(token);
            (lines(amounts, form, problems))
            fieldset {
                legend { @if *is_payer_facing { "How do you pay?" } @else { "How does the payer pay?" } }
                @for method in *offered { (choice(method.id.as_str(), &described(method), chosen)) }
                (choice("card", "A card", chosen))
                (choice("echeck", "An eCheck, from a bank account", chosen))
                (problem_of("method", problems))
            }
            (method_fields(form, problems))
            p.echeck.quiet {
                @if *is_payer_facing {
                    "With an eCheck you authorize one withdrawal of the total from your account."
                } @else {
                    "With an eCheck you confirm that the payer has authorized one withdrawal of the total."
                }
            }
            @if *may_save {
                fieldset.entered {
                    legend { "Next time" }
                    label.check {
                        input type="checkbox" name="save" value="yes" checked[!form.text("save").is_empty()];
                        "Save this payment method"
                    }
                    (field("email", "Email address", "email", "email", form, problems))
                }
            }
            @if let Some(footer) = footer { p.footer { (footer) } }
            button { "Pay" }
        }
    }
}

/// A form that stores methods for a payer.
pub(super) struct SaveMethods<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) is_new: bool,
    pub(super) methods: &'a [StoredMethod],
    pub(super) may_edit: bool,
    pub(super) may_add_more: bool,
    pub(super) form: &'a Form,
    pub(super) problems: &'a Problems,
    pub(super) message: Option<&'a str>,
    pub(super) token: &'a str,
    pub(super) footer: Option<&'a str>,
}

pub(super) fn save_methods(page: &SaveMethods<'_>) -> Markup {
    let SaveMethods { name, is_new, methods, may_edit, may_add_more, form, problems, message, token, footer } =
        page;
    let chosen = match form.text("method") {
        "" if methods.is_empty() => "card",
        "" => "none",
        chosen => chosen,
    };
    html! {
        (problems_first(problems, *message))
        form method="post" autocomplete="on" novalidate {
            input type="hidden" name="token" value=(token);
            @if let Some(name) = name { p { "Payer: " strong { (name) } } }
            @if *is_new {
                fieldset {
                    legend { "Who pays?" }
                    (field("first-name", "First name", "text", "given-name", form, problems))
                    (field("last-name", "Last name", "text", "family-name", form, problems))
                    (field("business-name", "Business", "text", "organization", form, problems))
                    (field("email", "Email address", "email", "email", form, problems))
                }
            }
            @if !methods.is_empty() {
                fieldset {
                    legend { "Saved payment methods" }
                    @for (at, method) in methods.iter().enumerate() { (stored_method(at, method, *may_edit, form, problems)) }
                }
            }
            fieldset {
                legend { "Add a payment method" }
                @if !methods.is_empty() { (choice("none", "None", chosen)) }
                (choice("card", "A card", chosen))
                (choice("echeck", "An eCheck, from a bank account", chosen))
                (problem_of("method", problems))
            }
            (method_fields(form, problems))
            @if let Some(footer) = footer { p.footer { (footer) } }
            button name="then" value="done" { "Save" }
            @if *may_add_more { " " button.second name="then" value="more" { "Save and add another" } }
        }
    }
}

fn stored_method(
    at: usize,
    method: &StoredMethod,
    may_edit: bool,
    form: &Form,
    problems: &Problems,
) -> Markup {
    let (name, expiry) = (format!("name-{at}"), format!("expiry-{at}"));
    let entered = |field: &str, stored: String| form.given(field).unwrap_or(stored);
    html! {
        div.kept {
            p { (described(method)) @if method.is_primary { " (primary)" } }
            @if may_edit {
                label { "Name"
                    input name=(name) value=(entered(&name, method.name.clone().unwrap_or_default())); }
                @if let Some(date) = method.expiry {
                    label { "Expires (MM/YY)"
                        input name=(expiry) inputmode="numeric" value=(entered(&expiry, format_expiry(date)))
                            aria-describedby=[problems.of(&expiry).map(|_| format!("{expiry}-problem"))]; }
                    (problem_of(&expiry, problems))
                }
                label.check { input type="radio" name="primary" value=(method.id) checked[method.is_primary]; "Primary" }
            }
        }
    }
}

pub(super) fn format_expiry(expiry: perennial_domain::Expiry) -> String {
    format!("{:02}/{:02}", expiry.month(), expiry.year() % 100)
}

/// The description of a stored method for its payer.
fn described(method: &StoredMethod) -> String {
    let what = if method.kind == PaymentKind::E_CHECK {
        "Bank account"
    } else {
        method.brand.as_deref().unwrap_or("Card")
    };
    let name = method.name.as_deref().map(|name| format!(", {name}")).unwrap_or_default();
    let expiry = method.expiry.map(|date| format!(", expires {}", format_expiry(date))).unwrap_or_default();
    format!("{what} ending in {}{name}{expiry}", method.last_four)
}

fn lines(amounts: &AmountTable, form: &Form, problems: &Problems) -> Markup {
    let total = amounts
        .lines
        .iter()
        .try_fold(perennial_domain::Amount::ZERO, |sum, line| sum.checked_add(line.amount));
    html! {
        table {
            caption { "To be paid, in US dollars" }
            thead { tr {
                @for head in &amounts.heads { th scope="col" { (head) } }
                th.number scope="col" { "Pay now" }
            } }
            tbody {
                @for (at, line) in amounts.lines.iter().enumerate() {
                    (line_row(amounts, at, line, form, problems))
                    @for (what, amount) in &line.parts {
                        tr.part { td colspan=(amounts.heads.len()) { (what) ": " (amount) } td {} }
                    }
                }
            }
            @if let Some(total) = total {
                tfoot { tr { th scope="row" colspan=(amounts.heads.len()) { "Total due" } td.number { (total) } } }
            }
        }
    }
}

fn line_row(amounts: &AmountTable, at: usize, line: &Line, form: &Form, problems: &Problems) -> Markup {
    let field = format!("amount-{at}");
    let name = line.cells.first().map_or(String::new(), |cell| format!(" for {cell}"));
    html! {
        tr {
            @for (column, cell) in line.cells.iter().enumerate() {
                td data-head=(amounts.heads[column]) {
                    @match line.link.as_deref().filter(|_| column == 0) {
                        Some(document) => a href=(document) rel="noreferrer noopener" target="_blank" { (cell) },
                        None => (cell),
                    }
                }
            }
            td.number data-head="Pay now" {
                @if line.is_editable {
                    input id=(field) name=(field) inputmode="decimal" autocomplete="off"
                        aria-label=(format!("Amount to pay{name}"))
                        aria-invalid=[problems.of(&field).map(|_| "true")]
                        aria-describedby=[problems.of(&field).map(|_| format!("{field}-problem"))]
                        value=(form.given(&field).unwrap_or_else(|| line.amount.to_string()));
                    (problem_of(&field, problems))
                } @else { (line.amount) }
            }
        }
    }
}

fn method_fields(form: &Form, problems: &Problems) -> Markup {
    const KINDS: [(&str, &str); 4] = [
        ("checking_personal", "Checking, personal"),
        ("checking_business", "Checking, business"),
        ("savings_personal", "Savings, personal"),
        ("savings_business", "Savings, business"),
    ];
    html! {
        fieldset.card {
            legend { "Card" }
            (field("card-name", "Name on the card", "text", "cc-name", form, problems))
            (secret("card-number", "Card number", "cc-number", problems))
            (secret("card-expiry", "Expires (MM/YY)", "cc-exp", problems))
            (secret("card-code", "Security code", "cc-csc", problems))
        }
        fieldset.echeck {
            legend { "Bank account" }
            (field("account-name", "Name on the account", "text", "name", form, problems))
            (secret("routing-number", "Routing number", "off", problems))
            (secret("account-number", "Account number", "off", problems))
            label for="account-type" { "Kind of account"
                select id="account-type" name="account-type" {
                    @for (value, name) in KINDS {
                        option value=(value) selected[form.text("account-type") == value] { (name) }
                    }
                } }
        }
        fieldset.entered {
            legend { "Billing address" }
            (field("address", "Street", "text", "billing street-address", form, problems))
            (field("city", "City", "text", "billing address-level2", form, problems))
            (field("state", "State or province (two letters)", "text", "billing address-level1", form, problems))
            (field("zip", "Postal code", "text", "billing postal-code", form, problems))
        }
    }
}

fn choice(value: &str, name: &str, chosen: &str) -> Markup {
    html! {
        label.check {
            input type="radio" name="method" id=(format!("by-{value}")) value=(value) checked[value == chosen];
            (name)
        }
    }
}

fn field(
    name: &str,
    label: &str,
    kind: &str,
    autocomplete: &str,
    form: &Form,
    problems: &Problems,
) -> Markup {
    html! {
        label for=(name) { (label)
            input id=(name) name=(name) type=(kind) autocomplete=(autocomplete) value=(form.text(name))
                aria-invalid=[problems.of(name).map(|_| "true")]
                aria-describedby=[problems.of(name).map(|_| format!("{name}-problem"))]; }
        (problem_of(name, problems))
    }
}

/// A field whose value is never sent back.
fn secret(name: &str, label: &str, autocomplete: &str, problems: &Problems) -> Markup {
    html! {
        label for=(name) { (label)
            input id=(name) name=(name) inputmode="numeric" autocomplete=(autocomplete)
                aria-invalid=[problems.of(name).map(|_| "true")]
                aria-describedby=[problems.of(name).map(|_| format!("{name}-problem"))]; }
        (problem_of(name, problems))
    }
}

fn problem_of(field: &str, problems: &Problems) -> Markup {
    html! { @if let Some(problem) = problems.of(field) { p.wrong id=(format!("{field}-problem")) { (problem) } } }
}

fn problems_first(problems: &Problems, message: Option<&str>) -> Markup {
    html! {
        @if message.is_some() || !problems.is_empty() {
            div.problem role="alert" {
                @if let Some(message) = message { p { (message) } }
                @if !problems.is_empty() {
                    p { "Nothing was submitted yet:" }
                    ul { @for (field, problem) in problems.iter() { li { a href=(format!("#{field}")) { (problem) } } } }
                }
            }
        }
    }
}

/// The receipt; in a frame, the surrounding page gets a message too.
pub(super) fn receipt(booked: &Booked, parent: Option<(&str, &str)>) -> Markup {
    let payment = &booked.payment;
    let amount = payment.payment_amount.map(|amount| amount.to_string()).unwrap_or_default();
    let by = if payment.payment_method_type == Some(PaymentKind::E_CHECK.into()) { "eCheck" } else { "Card" };
    html! {
        div.receipt role="status" {
            h2 { "Paid, thank you" }
            dl {
                dt { "Amount" } dd { "$" (amount) }
                dt { "Payment" } dd { (payment.payment_id.as_ref().map_or("", |id| id.as_str())) }
                dt { "By" } dd { (by) }
                dt { "When" } dd { (booked.created.seconds()) " UTC" }
            }
            p.quiet { "This page is paid, and cannot be paid again. Keep it, or print it, as your receipt." }
        }
        @if let Some((origin, messages)) = parent {
            div id="postback" hidden data-origin=(origin) data-messages=(messages) {}
            script src="/app/postback.js" defer {}
        }
    }
}

pub(super) fn saved() -> Markup {
    html! {
        div.receipt role="status" {
            h2 { "Saved, thank you" }
            p { "Nothing was charged. This page is done; to change something, ask for a new link." }
        }
    }
}

pub(super) fn expired() -> Markup {
    html! {
        div.problem role="alert" {
            p { "This page has expired. Nothing was charged; ask the sender for a new link." }
        }
    }
}

pub(super) fn problem(status: StatusCode, message: &str) -> String {
    let header = status.canonical_reason().unwrap_or("Problem");
    let branding = Branding { header, subheader: None, styling: "1", has_logo: false, firm: "" };
    layout(&branding, &html! { div.problem role="alert" { p { (message) } } })
}
