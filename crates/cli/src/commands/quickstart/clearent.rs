//! A year of a plan at Clearent, from a pasted key to its cancellation, and the years of a member after it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use perennial::clearent::{
    ApiKey, Charge, Charged, Customer, CustomerSearch, ExpectedRun, NewCustomer, NewPlan, NewToken, Paging,
    Payment, PaymentSearch, Plan, PlanStatus, Refusal, Token,
};
use perennial::{BaseUrl, Clearent, Environment, Error, Total};
use perennial_sandbox::{Sandbox, World};

use super::member::{self, Membership};
use super::{Guide, OUTCOMES, SEED, row};
use crate::context::Global;
use crate::failure::Failure;
use crate::input;
use crate::output::{IntoRecord, Output, Record};

const MONTHS: u64 = 12;
/// A key pasted from a PDF: it has an invisible hyphen at a line end.
const PASTED: &str = "0123456789abcdef\u{ad}0123456789abcdef";
/// A published test number, and an amount that the sandbox declines.
const CARD: &str = "4111111111111111";
const DECLINED_AMOUNT: &str = "0.21";
const NO_TOKEN: Failure = Failure::Unexpected("the new token has no id");

pub(super) async fn run(global: &Global) -> Result<(), Failure> {
    let guide = Guide(global.output);
    let sandbox = Sandbox::start().await?;
    let world = sandbox.world(SEED).await?;
    guide.print("1. A sandbox of the gateway runs on this machine. Its clock stands at 2027-01-01.");

    let report = tour(guide, &client(global, &sandbox, &world)?, &world).await?;
    sandbox.stop().await;
    if global.output.is_json() {
        return global.output.record(&report.record());
    }
    guide.sum_up(&report)?;
    guide.print_next_steps();
    Ok(())
}

fn client(global: &Global, sandbox: &Sandbox, world: &World) -> Result<Clearent, Failure> {
    let url: BaseUrl = sandbox.base_url().parse()?;
    let client = Clearent::builder(input::key(world.api_key().expose())?)
        .environment(Environment::Custom(url))
        .format(global.format)
        .deadline(global.deadline())
        .build()?;
    Ok(client)
}

/// Results of the tour.
struct Report {
    refused_key: String,
    customer: Customer,
    token: Token,
    plan: Plan,
    calendar: Vec<ExpectedRun>,
    payments: Vec<Payment>,
    customer_refusal: Refusal,
    plan_refusal: Refusal,
    suspended: Plan,
    canceled: Plan,
    declined: Charged,
    membership: Membership,
}

async fn tour(guide: Guide, client: &Clearent, world: &World) -> Result<Report, Failure> {
    let refused_key = check_key(guide, client).await?;
    let (customer, token, plan) = sign_up(guide, client).await?;

    let calendar = client.plans().expected_runs(&plan.plan_key).await?.into_value();
    guide.calendar(&calendar)?;
    let payments = let_a_year_pass(guide, client, world, &plan).await?;

    let plan_refusal = refusal(client.plans().delete(&plan.plan_key).await)?;
    let customer_refusal = refusal(client.customers().delete(&customer.customer_key).await)?;
    guide.print("6. An object with payments cannot be deleted:");
    for refusal in [&plan_refusal, &customer_refusal] {
        guide.print(&format!("   {refusal}.").replace("; ", ";\n     "));
    }

    let suspended = client.plans().suspend(&plan.plan_key).await?.into_value();
    let canceled = client.plans().cancel(&plan.plan_key).await?.into_value();
    guide.print("7. So the plan is suspended, then canceled, which is final.");

    let declined = declined_sale(guide, client, &token).await?;
    let id = token.token_id.as_ref().ok_or(NO_TOKEN)?;
    let bar = guide.bar(member::MONTHS.into(), ProgressDrawTarget::stderr());
    let membership = member::stay(guide, (client, world), (&customer.customer_key, id), &bar).await?;
    membership.print(guide)?;
    Ok(Report {
        refused_key,
        customer,
        token,
        plan,
        calendar,
        payments,
        customer_refusal,
        plan_refusal,
        suspended,
        canceled,
        declined,
        membership,
    })
}

/// Refuses a key pasted from a PDF, then has the gateway accept a good one; returns the reason of the refusal.
async fn check_key(guide: Guide, client: &Clearent) -> Result<String, Failure> {
    let Err(refused) = ApiKey::new(PASTED) else {
        return Err(Failure::Unexpected("a key with an invisible hyphen was accepted"));
    };
    let one = Paging { page_size: Some(1), ..Paging::default() };
    let mut customers =
        client.customers().search(&CustomerSearch { paging: one, ..CustomerSearch::default() });
    if customers.next().await.transpose()?.is_some() {
        return Err(Failure::Unexpected("the new sandbox has customers"));
    }
    guide.print("2. A key pasted from a PDF is refused before it is sent:");
    guide.print(&format!("   {refused}."));
    guide.print("   A whole one is accepted: the gateway lists no customers yet.");
    Ok(refused.to_string())
}

async fn sign_up(guide: Guide, client: &Clearent) -> Result<(Customer, Token, Plan), Failure> {
    let ada =
        NewCustomer::builder().first_name("Ada").last_name("Byron").email("ada@example.test").build()?;
    let customer = client.customers().create(&ada).await?.into_value();
    guide.print("3. Ada Byron becomes a customer, and her card a token:");
    guide.print(&format!("   {}", customer.customer_key));

    let card = NewToken::builder()
        .card(CARD)
        .exp_date("1230")
        .csc("999")
        .description("business card")
        .customer_key(&customer.customer_key)
        .build()?;
    let token = client.tokens().create(card).await?.into_value();
    let id = token.token_id.clone().ok_or(NO_TOKEN)?;
    guide.print(&format!("   {id}"));

    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(&customer.customer_key)
        .token_id(&id)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status(PlanStatus::ACTIVE)
        .build()?;
    let (amount, day, total) = (plan.fields().payment_amount, plan.day(), plan.total());
    guide.print(&format!(
        "4. A plan will charge it {amount} on day {day} of each month of 2027, {total} in all:"
    ));
    let plan = client.plans().create(&plan).await?.into_value();
    guide.print(&format!("   {}", plan.plan_key));
    Ok((customer, token, plan))
}

/// Moves the clock month by month, and reads the new payments.
async fn let_a_year_pass(
    guide: Guide,
    client: &Clearent,
    world: &World,
    plan: &Plan,
) -> Result<Vec<Payment>, Failure> {
    let bar = guide.bar(MONTHS, ProgressDrawTarget::stderr());
    let search = PaymentSearch {
        plan_key: Some(plan.plan_key.clone()),
        paging: Paging { descending: Some(false), ..Paging::default() },
        ..PaymentSearch::default()
    };
    let mut payments = Vec::new();
    for _ in 0..MONTHS {
        let fired = world.advance("P1M").await?;
        payments = client.payments().list(&search).collect_all().await?;
        bar.inc(1);
        bar.set_message(format!("{}, payments: {}", fired.now.date(), payments.len()));
    }
    bar.finish_and_clear();
    guide.print(&format!("5. The clock advances month by month: {} payments arrive.", payments.len()));
    Ok(payments)
}

async fn declined_sale(guide: Guide, client: &Clearent, token: &Token) -> Result<Charged, Failure> {
    let id = token.token_id.as_ref().ok_or(NO_TOKEN)?;
    let charge = Charge::builder().amount(DECLINED_AMOUNT).card(id).exp_date("1230").build()?;
    let sold = client.transactions().sale(&charge).await?.into_value();
    let decline = sold.decline().ok_or(Failure::Unexpected("a sale of a trigger amount was approved"))?;
    let message = decline.message.unwrap_or_default();
    guide.print(&format!(
        "8. A sale of {DECLINED_AMOUNT} is declined, which is a value and no error: {message}."
    ));
    Ok(sold)
}

/// The refusal that a deletion must get.
fn refusal<T>(deleted: Result<T, Error>) -> Result<Refusal, Failure> {
    match deleted {
        Ok(_) => Err(Failure::Unexpected("what has payments was deleted")),
        Err(error) => error.refusal().cloned().ok_or(Failure::Gateway(error)),
    }
}

impl Report {
    fn charged(&self) -> Total {
        self.payments.iter().filter_map(|payment| payment.payment_amount).sum()
    }

    fn record(self) -> Record {
        let charged = self.charged();
        let payments = self.payments.into_iter().map(Payment::record);
        let refused = |object: &'static str, refusal: &Refusal| {
            Record::default().with("object", object).with("reason", refusal.to_string())
        };
        let refused = vec![refused("plan", &self.plan_refusal), refused("customer", &self.customer_refusal)];
        let statuses = [&self.plan, &self.suspended, &self.canceled];
        let statuses = statuses.map(|plan| Record::default().with("status", plan.status.clone()));
        Record::default()
            .with("refused-key", self.refused_key)
            .with("customer", self.customer.record().without_links())
            .with("token", self.token.record())
            .with("plan", self.plan.record().without_links())
            .with("calendar", calendar(&self.calendar))
            .with("payments", payments.collect::<Vec<_>>())
            .with("total-charged", charged)
            .with("refused-deletions", refused)
            .with("plan-statuses", Vec::from(statuses))
            .with("declined-sale", self.declined.record())
            .with("subscription", self.membership.record())
    }
}

/// Charges with their running total.
fn calendar(runs: &[ExpectedRun]) -> Vec<Record> {
    let totals = runs.iter().scan(Total::ZERO, |total, run| {
        *total += run.payment_amount.unwrap_or_default();
        Some(*total)
    });
    let numbered = (1_u64..).zip(runs).zip(totals);
    let row = |((number, run), total): ((u64, &ExpectedRun), Total)| {
        Record::default()
            .with("charge", number)
            .with("date", run.date)
            .with("payment-amount", run.payment_amount)
            .with("total", total)
    };
    numbered.map(row).collect()
}

impl Guide {
    fn calendar(self, runs: &[ExpectedRun]) -> Result<(), Failure> {
        match self.0 {
            Output::Table => {
                Output::Table.rows(&["charge", "date", "payment-amount", "total"], calendar(runs))
            }
            _ => Ok(()),
        }
    }

    /// A progress bar with one step for each month, drawn only on a terminal.
    fn bar(self, months: u64, target: ProgressDrawTarget) -> ProgressBar {
        let style = ProgressStyle::with_template("   {bar:24} {pos:>2}/{len} {msg}");
        match (self.0, style) {
            (Output::Table, Ok(style)) => {
                ProgressBar::with_draw_target(Some(months), target).with_style(style)
            }
            _ => ProgressBar::hidden(),
        }
    }

    fn sum_up(self, report: &Report) -> Result<(), Failure> {
        self.print("In short:");
        let declined = report.declined.decline().and_then(|decline| decline.code).unwrap_or_default();
        let status = report.canceled.status.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut rows = vec![
            row("customer", report.customer.customer_key.to_string()),
            row("plan", report.plan.plan_key.to_string()),
            row("plan status", status),
            row("payments made", report.payments.len().to_string()),
            row("total charged", report.charged().to_string()),
            row("refused deletions", "the plan, the customer".to_owned()),
            row("declined sales", format!("1 (result code {declined})")),
        ];
        rows.extend(report.membership.rows());
        self.0.rows(OUTCOMES, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    #[test]
    fn people_see_how_far_the_year_is() {
        for (output, drawn) in
            [(Output::Table, "   ████████████░░░░░░░░░░░░  6/12 2027-07-01, payments: 6"), (Output::Json, "")]
        {
            let screen = InMemoryTerm::new(4, 80);
            let bar = Guide(output).bar(MONTHS, ProgressDrawTarget::term_like(Box::new(screen.clone())));
            bar.inc(MONTHS / 2);
            bar.set_message("2027-07-01, payments: 6");
            assert_eq!(screen.contents(), drawn);
            bar.finish_and_clear();
            assert_eq!(screen.contents(), "");
        }
    }
}
