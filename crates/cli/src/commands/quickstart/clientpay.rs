//! An invoice at ClientPay, from its page to a refund.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use perennial::clientpay::{
    Card, Criteria, Expected, Field, InvoicePage, NewPayment, Operator, Page, PageInvoice, PageOptions,
    Payment, PaymentSearch, Postback, Refund, RequestId, ResponseOptions, UsedRequestId, Verdict, postback,
};
use perennial::transport::{Deadline, Exchange, ReqwestExchange};
use perennial::{BaseUrl, Builder, ClientPay, Environment, InvalidValue, Violations};
use perennial_sandbox::{Sandbox, World};
use tokio::io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{Guide, OUTCOMES, SEED, row};
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{IntoRecord, Output, Record};

/// Numbers of the vendor's published list: an approved one, and a declined one.
const CARD: &str = "4000100011112224";
const DECLINED_CARD: &str = "4000300211112228";
const SESSION: &str = "S-88213";

pub(super) async fn run(global: &Global) -> Result<(), Failure> {
    global.refuse_clearent()?;
    let guide = Guide(global.output);
    let sandbox = Sandbox::start().await?;
    let world = sandbox.world(SEED).await?;
    guide.print("1. A sandbox of the gateway runs on this machine. Its clock stands at 2027-01-01.");

    let report = tour(guide, &client(global, &sandbox, &world)?, global.deadline()).await?;
    sandbox.stop().await;
    if global.output.is_json() {
        return global.output.record(&report.record());
    }
    report.sum_up(guide)?;
    guide.print_next_steps();
    Ok(())
}

fn client(global: &Global, sandbox: &Sandbox, world: &World) -> Result<ClientPay, Failure> {
    let url: BaseUrl = sandbox.base_url().parse()?;
    let client = ClientPay::builder(world.clientpay())
        .environment(Environment::Custom(url))
        .deadline(global.deadline())
        .build()?;
    Ok(client)
}

/// Results of the tour.
struct Report {
    page: Page,
    postbacks: Vec<Payment>,
    on_page: Payment,
    direct: Payment,
    refused: String,
    declined: Payment,
    refunded: Payment,
    found: Vec<Payment>,
}

async fn tour(guide: Guide, client: &ClientPay, patience: Duration) -> Result<Report, Failure> {
    open_session(guide, client).await?;
    let hook = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::System)?;
    let page = make_page(guide, client, &hook).await?;
    let pay = async {
        fill_in(&page, patience).await?;
        Ok::<_, Failure>([receive_postback(&hook).await?, receive_postback(&hook).await?])
    };
    let late = |_| Failure::Unexpected("the gateway posted nothing of the payment");
    let postbacks = Vec::from(timeout(patience, pay).await.map_err(late)??);
    let on_page = confirm(guide, client, &page, &postbacks).await?;

    let direct = pay_twice(guide, client).await?;
    let request = direct.request_id.clone().ok_or(Failure::Unexpected("the payment has no request id"))?;
    let refused = reuse(guide, client, &request).await?;
    let declined = client.payments().pay(&payment("10.00", DECLINED_CARD)?).await?.into_value();
    let decline = declined.decline().ok_or(Failure::Unexpected("a card that is declined was approved"))?;
    let message = decline.message.unwrap_or_default();
    guide.print(&format!("8. Another card is declined, which is a value and no error: {message}."));

    let id = direct.payment_id.clone().ok_or(Failure::Unexpected("the payment has no id"))?;
    let refund = Refund::builder().payment_id(&id).build()?;
    let refunded = client.payments().refund(&refund).await?.into_value();
    guide.print(&format!(
        "9. Payment {id} is refunded. It was not settled yet, so it is {}.",
        status(&refunded)
    ));

    let session = Criteria::new(Field::SessionId, Operator::Is, SESSION);
    let session = session.map_err(|InvalidValue(rule)| Violations::one("sessionId", rule))?;
    let search = PaymentSearch::builder().group(session).build()?;
    let found = client.payments().search(search).collect_all().await?;
    guide.print(&format!("10. A search for {SESSION} finds all of them:"));
    guide.payments(&found)?;
    Ok(Report { page, postbacks, on_page, direct, refused, declined, refunded, found })
}

/// Requests the live access id before it creates one, as the client does itself for every call.
async fn open_session(guide: Guide, client: &ClientPay) -> Result<(), Failure> {
    if client.access().current().await?.into_value().is_some() {
        return Err(Failure::Unexpected("the new sandbox has an access id"));
    }
    client.access().renew().await?;
    if client.access().current().await?.into_value().is_none() {
        return Err(Failure::Unexpected("the new access id is not live"));
    }
    guide.print(
        "2. No access id is valid yet, so the client requests one. All processes of the account share it.",
    );
    Ok(())
}

async fn make_page(guide: Guide, client: &ClientPay, hook: &TcpListener) -> Result<Page, Failure> {
    let address = hook.local_addr().map_err(Failure::System)?;
    let invoice = PageInvoice::builder()
        .invoice_number("INV-70412")
        .invoice_date("2027-01-01")
        .outstanding_balance("2490.50")
        .editable(false);
    let page = InvoicePage::builder()
        .session_id(SESSION)
        .invoice(invoice)
        .page_options(PageOptions::builder().header_text("Pay Marsh & Oak LLP"))
        .response_options(
            ResponseOptions::builder().server_side_return_address(format!("http://{address}/hook")),
        )
        .build()?;
    let id = client.new_request_id().await?.into_value();
    guide.print(&format!(
        "3. The client requests a request id, and stores it before using it: {}.",
        id.expose()
    ));
    let page = client.pages().under(id).invoices(&page).await?.into_value();
    guide.print("4. Under this id it creates a page for an invoice of 2490.50:");
    guide.print(&format!("   {}", page.url));
    Ok(page)
}

/// Acts as a payer's browser: loads the page, and sends its form with a card.
async fn fill_in(page: &Page, patience: Duration) -> Result<(), Failure> {
    let url = page.url.split('#').next().unwrap_or_default();
    let form = browse(Method::GET, url, String::new(), patience).await?;
    let token = form.split_once("name=\"token\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    let token = token.ok_or(Failure::Unexpected("the page has no form"))?;
    let card = format!("card-name=Rosa+Lind&card-number={CARD}&card-expiry=1230&card-code=999");
    let entered = format!("token={token}&method=card&{card}");
    browse(Method::POST, url, entered, patience).await.map(drop)
}

async fn browse(method: Method, url: &str, form: String, patience: Duration) -> Result<String, Failure> {
    let exchange = ReqwestExchange::builder().build();
    let exchange = exchange.map_err(|error| Failure::System(io::Error::other(error)))?;
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().map_err(|_| Failure::Unexpected("the page's URL cannot be called"))?;
    let encoded = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, encoded);
    let deadline = Deadline::after(Instant::now(), patience);
    let answer = exchange.exchange(request, deadline).await?;
    if answer.status().is_client_error() || answer.status().is_server_error() {
        return Err(Failure::Unexpected("the page refuses the payment"));
    }
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}

/// Receives one postback, as the merchant's own server does.
async fn receive_postback(hook: &TcpListener) -> Result<Payment, Failure> {
    let body = receive(hook).await.map_err(Failure::System)?;
    match postback(&body)? {
        Postback::Payment(payment) => Ok(*payment),
        Postback::Payer(_) => Err(Failure::Unexpected("the postback is of no payment")),
    }
}

async fn receive(hook: &TcpListener) -> io::Result<Vec<u8>> {
    let (connection, _) = hook.accept().await?;
    let mut connection = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        let header = line.split_once(':');
        if let Some((_, value)) = header.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = Vec::new();
    (&mut connection).take(length).read_to_end(&mut body).await?;
    connection.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await?;
    Ok(body)
}

/// Checks the payment at the gateway, because anybody could have sent the postbacks.
async fn confirm(
    guide: Guide,
    client: &ClientPay,
    page: &Page,
    postbacks: &[Payment],
) -> Result<Payment, Failure> {
    let expected = Expected { request_id: page.request_id.clone(), amount: "2490.50".parse().ok() };
    let confirmed = client.payments().confirm(&expected).await?.into_value();
    let confirmed = confirmed.filter(|confirmed| confirmed.verdict() == Verdict::Approved);
    let confirmed = confirmed.ok_or(Failure::Unexpected("the payment on the page was not made"))?;
    let statuses: Vec<String> = postbacks.iter().map(status).collect();
    guide.print(&format!(
        "5. The payer pays on it by card. The postbacks say that this is {}.",
        statuses.join(", then ")
    ));
    guide.print("   Anybody could post that, so the client looks the payment up: the invoice is paid.");
    Ok(confirmed.payment().clone())
}

/// Pays, and sends the request again under its request id.
async fn pay_twice(guide: Guide, client: &ClientPay) -> Result<Payment, Failure> {
    let id = client.new_request_id().await?.into_value();
    let again = request_id(&id.used())?;
    let first = client.payments().under(id).pay(&payment("540.25", CARD)?).await?.into_value();
    let second = client.payments().under(again).pay(&payment("540.25", CARD)?).await?.into_value();
    if first.payment_id.is_none() || first.payment_id != second.payment_id {
        return Err(Failure::Unexpected("a payment was made twice"));
    }
    guide.print("6. A payment of 540.25 without a page is sent twice under one request id, and made once.");
    Ok(first)
}

/// Sends another request under a used id; returns the reason of the refusal.
async fn reuse(guide: Guide, client: &ClientPay, used: &UsedRequestId) -> Result<String, Failure> {
    let invoice = PageInvoice::builder()
        .invoice_number("INV-70413")
        .invoice_date("2027-01-01")
        .outstanding_balance("100.00");
    let page = InvoicePage::builder().invoice(invoice).build()?;
    let Err(error) = client.pages().under(request_id(used)?).invoices(&page).await else {
        return Err(Failure::Unexpected("a request id was taken twice"));
    };
    let message = error.gateway_message().map(str::to_owned).ok_or(Failure::Gateway(error))?;
    guide.print(&format!("7. Another request under that id is refused: {message}"));
    Ok(message)
}

fn request_id(used: &UsedRequestId) -> Result<RequestId, Violations> {
    RequestId::try_from(used.as_str()).map_err(|InvalidValue(rule)| Violations::one("requestId", rule))
}

fn payment(amount: &str, card: &str) -> Result<NewPayment, Violations> {
    NewPayment::builder().total_amount(amount).session_id(SESSION).credit_card(card_of(card)).build()
}

fn card_of(number: &str) -> Builder<Card> {
    Card::builder().cardholder_name("Rosa Lind").card_number(number).expiration_date("1230").cvv("999")
}

fn status(payment: &Payment) -> String {
    payment.payment_status.as_ref().map(ToString::to_string).unwrap_or_default()
}

impl Report {
    fn record(self) -> Record {
        let posted =
            |payment: &Payment| Record::default().with("paymentStatus", payment.payment_status.clone());
        Record::default()
            .with("page", self.page.record())
            .with("postbacks", self.postbacks.iter().map(posted).collect::<Vec<_>>())
            .with("paymentOnPage", self.on_page.record())
            .with("payment", self.direct.record())
            .with("refusedDuplicate", self.refused)
            .with("declined", self.declined.record())
            .with("refunded", self.refunded.record())
            .with("found", self.found.into_iter().map(Payment::record).collect::<Vec<_>>())
    }

    fn sum_up(&self, guide: Guide) -> Result<(), Failure> {
        guide.print("In short:");
        let paid = |payment: &Payment| {
            let id = payment.payment_id.as_ref().map(ToString::to_string).unwrap_or_default();
            let amount = payment.payment_amount.map(|amount| amount.to_string()).unwrap_or_default();
            format!("{id}, {amount}, {}", status(payment))
        };
        let rows = vec![
            row("page", self.page.request_id.to_string()),
            row("postbacks", self.postbacks.len().to_string()),
            row("paid on the page", paid(&self.on_page)),
            row("paid at once", paid(&self.direct)),
            row("refused duplicates", "1 (under the request id of the payment)".to_owned()),
            row("declined", paid(&self.declined)),
            row("refunded", paid(&self.refunded)),
        ];
        guide.0.rows(OUTCOMES, rows)
    }
}

impl Guide {
    fn payments(self, found: &[Payment]) -> Result<(), Failure> {
        match self.0 {
            Output::Table => {
                let columns = ["paymentId", "paymentStatus", "paymentAmount", "sessionId"];
                Output::Table.rows(&columns, found.iter().cloned().map(Payment::record).collect())
            }
            _ => Ok(()),
        }
    }
}
