//! `perennial subscriptions adopt`

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use perennial::clearent::PlanKey;
use perennial::{Clearent, ErrorKind, NaiveDate};
use perennial_billing::{Adoption, Billing, Error};
use perennial_journal::By;

use super::once::{Decided, Person};
use super::place::{Opened, Place};
use super::show::Shown;
use super::start::{AHEAD, print_preview};
use crate::commands::criteria::key;
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::input;
use crate::output::{Output, Record, note};

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// Your id of the subscription: 1 to 60 letters, digits, '-', '_' or '.'
    #[arg(long, value_name = "ID", conflicts_with = "file", required_unless_present = "file")]
    id: Option<String>,
    /// The plan. It may be left out to end the shadow of a subscription
    #[arg(long, value_name = "KEY", conflicts_with = "file")]
    plan_key: Option<String>,
    /// A CSV file with the columns id and plan-key, one plan in a row; - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only read the charges: nothing is written at the gateway until the same command without --shadow
    #[arg(long)]
    shadow: bool,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    place: Place,
}

/// A row of the file.
#[derive(Debug)]
struct Line {
    id: String,
    plan: String,
}

/// A limit above the size of a file with a row for each member of a large merchant.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Columns of the result of a file, the most important first.
const LINES: &[&str] = &["id", "result", "first", "reason", "plan-key"];

impl Adopt {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let by = self.person.clone().by()?;
        self.decided.key()?;
        let client = global.client().await?;
        match (&self.file, &self.id) {
            (Some(file), _) => self.many(&lines(file)?, by, global, &client).await,
            (None, Some(id)) => self.one(id, by, global, &client).await,
            (None, None) => Err(Failure::Usage("give --id and --plan-key, or --file".to_owned())),
        }
    }

    async fn one(&self, id: &str, by: By, global: &Global, client: &Clearent) -> Result<(), Failure> {
        let plan = self.plan_key.as_ref().map(|plan| key::<PlanKey>("plan-key", plan)).transpose()?;
        if global.dry_run.is_on() {
            return self.preview(id, plan, global, client).await;
        }
        let opened = match (self.place.open(global, client).await, &plan) {
            (Err(failure), Some(plan)) if failure.is_first_use() => {
                self.first(id, plan, global, client, self.place.database.today(global).await?).await?
            }
            (opened, _) => opened?,
        };
        let plan = match plan {
            Some(plan) => plan,
            None => first_plan(&opened.billing, id).await?,
        };
        let adoption = Adoption { in_shadow: self.shadow, ..Adoption::new(id, plan) };
        let once = self.decided.once(&opened.billing, global).await?;
        once.taken(once.billing.adopt(&adoption, by).await)?;
        Shown::of(&opened, &self.place, global, id).await?.print_written(global)
    }

    async fn preview(
        &self,
        id: &str,
        plan: Option<PlanKey>,
        global: &Global,
        client: &Clearent,
    ) -> Result<(), Failure> {
        let opened = match self.place.open(global, client).await {
            Ok(opened) => opened,
            // It would be the first one.
            Err(failure) if failure.is_first_use() => {
                let Some(plan) = plan else { return Err(lacks_plan(id)) };
                let today = self.place.database.today(global).await?;
                let adoption = Adoption { in_shadow: self.shadow, ..Adoption::new(id, plan) };
                return print_preview(global, id, &adoption.preview(client, today, AHEAD).await?);
            }
            Err(failure) => return Err(failure),
        };
        let plan = match plan {
            Some(plan) => plan,
            None => first_plan(&opened.billing, id).await?,
        };
        let adoption = Adoption { in_shadow: self.shadow, ..Adoption::new(id, plan) };
        print_preview(global, id, &opened.billing.preview_adoption(&adoption, AHEAD).await?)
    }

    /// Makes the journal, and the merchant in it, for a plan that can be adopted. In shadow, the merchant is bound without a
    /// write, by the customer of the plan.
    async fn first(
        &self,
        id: &str,
        plan: &PlanKey,
        global: &Global,
        client: &Clearent,
        today: NaiveDate,
    ) -> Result<Opened, Failure> {
        // What would be refused makes nothing.
        Adoption::new(id, plan.clone()).preview(client, today, 1).await?;
        if self.shadow {
            self.place.open_in_shadow(global, client, plan).await
        } else {
            self.place.open_or_create(global, client).await
        }
    }

    async fn many(&self, lines: &[Line], by: By, global: &Global, client: &Clearent) -> Result<(), Failure> {
        let is_dry = global.dry_run.is_on();
        let mut opened = match self.place.open(global, client).await {
            Ok(opened) => Some(opened),
            Err(failure) if failure.is_first_use() => None,
            Err(failure) => return Err(failure),
        };
        let today = self.place.database.today(global).await?;
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} plans");
        let bar = style.map_or_else(
            |_| ProgressBar::hidden(),
            |style| ProgressBar::new(lines.len() as u64).with_style(style),
        );
        let (mut rows, mut failed, mut stopped) = (Vec::new(), 0, None);
        for line in lines {
            let done = self.line(line, &by, global, &mut opened, client, today).await;
            bar.inc(1);
            let record = Record::default().with("id", line.id.as_str()).with("plan-key", line.plan.as_str());
            match done {
                Ok((result, first)) => rows.push(record.with("result", result).with("first", first)),
                Err(failure) if stops(&failure) => {
                    stopped = Some(failure);
                    break;
                }
                Err(failure) => {
                    failed += 1;
                    rows.push(record.with("result", "refused").with("reason", reason_of(&failure)));
                }
            }
        }
        bar.finish_and_clear();
        if is_dry && !matches!(global.output, Output::Table) {
            DryRun::print(global.output, Record::default().with("plans", rows))?;
        } else {
            global.output.rows(LINES, rows)?;
            if is_dry {
                note("a dry run: nothing was changed");
            }
        }
        match (stopped, failed) {
            (Some(failure), _) => Err(failure),
            (None, 0) => Ok(()),
            (None, failed) => Err(Failure::Lines { failed, of: lines.len() }),
        }
    }

    /// Adopts the plan of a row; returns the result, and the next due day.
    async fn line(
        &self,
        line: &Line,
        by: &By,
        global: &Global,
        opened: &mut Option<Opened>,
        client: &Clearent,
        today: NaiveDate,
    ) -> Result<(&'static str, Option<String>), Failure> {
        let plan = key::<PlanKey>("plan-key", &line.plan)?;
        let adoption = Adoption { in_shadow: self.shadow, ..Adoption::new(&line.id, plan) };
        let first = |days: Vec<(NaiveDate, _)>| days.first().map(|(day, _)| day.to_string());
        let opened = match opened {
            Some(opened) => opened,
            None if global.dry_run.is_on() => {
                return Ok(("would be adopted", first(adoption.preview(client, today, 1).await?)));
            }
            None => opened.insert(self.first(&line.id, &adoption.plan, global, client, today).await?),
        };
        let before = match opened.billing.show(&line.id).await {
            Ok(member) => Some(member.subscription),
            Err(Error::NoSubscription(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if global.dry_run.is_on() {
            let days = opened.billing.preview_adoption(&adoption, 1).await?;
            return Ok(("would be adopted", first(days)));
        }
        let billing = self.decided.of_line(&opened.billing, &line.id);
        let after = billing.adopt(&adoption, by.clone()).await?;
        let result = match before {
            Some(before) if before.uid != after.uid => "adopted",
            Some(before) if before.is_shadow != after.is_shadow => "shadow ended",
            Some(_) => "unchanged",
            None => "adopted",
        };
        Ok((result, first(opened.billing.preview(&line.id, 1).await?)))
    }
}

/// The plan that a subscription was adopted with.
async fn first_plan(billing: &Billing, id: &str) -> Result<PlanKey, Failure> {
    let member = match billing.show(id).await {
        Ok(member) => member,
        Err(Error::NoSubscription(_)) => return Err(lacks_plan(id)),
        Err(error) => return Err(error.into()),
    };
    let adopted = member.terms.into_iter().find(|term| term.adopted.is_some());
    adopted.and_then(|term| term.plan).ok_or_else(|| lacks_plan(id))
}

fn lacks_plan(id: &str) -> Failure {
    Failure::Usage(format!("no plan was adopted as {id} yet: add --plan-key KEY"))
}

/// Whether no other row can succeed: the gateway or the database fails.
fn stops(failure: &Failure) -> bool {
    let is_down = |error: &perennial::Error| {
        use ErrorKind::{Connection, RateLimited, Timeout, Unauthorized, Unavailable};
        matches!(error.kind(), Connection | RateLimited | Timeout | Unauthorized | Unavailable)
    };
    match failure {
        Failure::Gateway(error) | Failure::Billing(Error::Gateway(error)) => is_down(error),
        Failure::Billing(Error::Journal(_)) | Failure::Journal(_) => true,
        _ => false,
    }
}

/// The reason of a row that is refused.
fn reason_of(failure: &Failure) -> String {
    match failure {
        Failure::InvalidRequest(complaints) => {
            // It is a column, and no option.
            let said = complaints
                .iter()
                .map(|complaint| format!("{} {}", complaint.given.trim_start_matches("--"), complaint.rule));
            said.collect::<Vec<_>>().join("; ")
        }
        failure => failure.message(),
    }
}

/// The rows of a file, with its header in any order. More columns are ignored.
fn lines(path: &Path) -> Result<Vec<Line>, Failure> {
    let text = input::text(path, LONGEST)?;
    let unusable = |why: &str| Failure::Usage(format!("{} {why}", input::named(path)));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| unusable("is not CSV"))?.clone();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(id), Some(plan)) = (column("id"), column("plan-key")) else {
        return Err(unusable("has no header with the columns id and plan-key"));
    };
    let mut lines = Vec::new();
    for row in reader.records() {
        // A message of the reader may repeat some of the file.
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            unusable(&format!("is not CSV in line {line}: each row has as many columns as the header"))
        })?;
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        lines.push(Line { id: cell(id), plan: cell(plan) });
    }
    if lines.is_empty() { Err(unusable("lists nothing")) } else { Ok(lines) }
}
