//! Every operation, in both outputs and both formats of the wire: whole screens.

use serde_json::Value;

use crate::shell::{ACCOUNT, CARD, CARD_JSON, CSC, Ran, Shell};

/// A transcript of every operation. Ids are those of the seeded world.
pub(crate) fn transcript(format: &str, output: &str) -> Vec<Step> {
    let shell = Shell::open();
    let mut session = Session::of(&shell, format, output);

    let ada = session.id(
        "customer-key",
        "customers create --first-name Ada --last-name Byron --email ada@example.test \
        --billing-street '1 Loom Street' --billing-city 'St Louis' --shipping-zip 63102",
    );
    session.run(&format!("customers get {ada}"));
    session.run("customers create --first-name Grace --last-name Hopper --customer-key cust_grace");
    session.run("customers search --last-name Byron");
    session.run("customers search --all --descending false --page-size 1");
    session.run("customers search --page-size 1");
    session.run("customers search --last-name Nobody");
    session.run(&format!("customers update {ada} --comments 'prefers mornings' --shipping-city 'St Louis'"));

    let token = session.id_with(
        "token-id",
        &format!("tokens create --description 'business card' --customer-key {ada} --card-stdin"),
        CARD_JSON,
    );
    session.run(&format!("tokens get {token}"));
    session.run("tokens search");
    session.run(&format!("tokens update {token} --description 'old card'"));
    session.run(&format!("customers tokens attach cust_grace --token-id {token} --exp-date 1230 --card-type VISA --last-four-digits 1111"));
    session.run("customers tokens list cust_grace");
    session.run(&format!("customers tokens update cust_grace --token-id {token} --default true"));

    session.run("plans forecast --start-date 2027-01-20 --end-date 2027-05-01 --frequency-day 15");
    let plan = session.id(
        "plan-key",
        &format!(
            "plans create --plan-name 'Gold membership' --customer-key {ada} --token-id {token} \
        --frequency-day 15 --payment-amount 50 --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE"
        ),
    );
    session.run(&format!("plans get {plan}"));
    session.run(&format!("plans expected-runs {plan}"));
    session.run(&format!("plans update {plan} --payment-amount 55.00"));
    session.run(&format!("plans delete {plan}"));
    shell.advance("P2M");
    session.run(&format!("payments list --plan-key {plan}"));
    session.run("payments list --all --limit 1");
    session.run("payments list --limit 1");
    session.run(&format!("transactions search --order-id {plan}"));
    session.run(&format!("plans suspend {plan}"));
    session.run(&format!("plans activate {plan}"));
    session.run(&format!("plans search --customer-key {ada}"));
    session.run(&format!("plans cancel {plan}"));
    session.run(&format!("plans activate {plan}"));
    session.run(&format!("plans delete {plan}"));
    session.run(&format!("customers delete {ada}"));
    session.run(&format!("customers update {ada} --status inactive"));
    session.run("customers delete cust_grace");

    let sale = session.id(
        "id",
        &format!("transactions sale --amount 25.00 --token-id {token} --exp-date 1230 --invoice inv-1"),
    );
    session.run(&format!("transactions get {sale}"));
    session.run(&format!("transactions refund --id {sale} --amount 10.00"));
    session.run_with("transactions sale --amount 0.21 --card-stdin", CARD_JSON);
    session.run_with(
        "transactions sale --amount 8.00 --create-token true --billing-zip 63101 --card-stdin",
        CARD_JSON,
    );
    let auth = session.id_with("id", "transactions auth --amount 30.00 --card-stdin", CARD_JSON);
    session.run(&format!("transactions capture {auth} --amount 30.00"));
    session.run(&format!("transactions void {auth}"));
    session.run_with("transactions refund --amount 5.00 --card-stdin", CARD_JSON);
    session.run("transactions search --type SALE --all");
    session.run(&format!("transactions update {sale} --tip-amount 1.00"));
    let tipped =
        session.id_with("id", "transactions sale --amount 4.00 --invoice inv-2 --card-stdin", CARD_JSON);
    session.run(&format!("transactions update {tipped} --tip-amount 1.00"));
    session.run_with(
        "transactions sale --amount 4.00 --invoice inv-2 --check-field invoice --card-stdin",
        CARD_JSON,
    );
    session.run("batches open");
    session.run("batches settle --total-count 9 --net-amount -1.00");
    session.run("batches settle");
    session.run("batches open");
    session.run("batches list --limit 2");
    session.run(&format!("tokens delete {token}"));
    session.steps
}

/// Runs lines one after the other and records their output.
pub(crate) struct Session<'a> {
    shell: &'a Shell,
    format: &'a str,
    output: &'a str,
    pub(crate) steps: Vec<Step>,
}

/// A line, and its output.
pub(crate) struct Step {
    pub(crate) line: String,
    pub(crate) ran: Ran,
}

pub(crate) fn screens(steps: &[Step]) -> String {
    let screen =
        |Step { line, ran }: &Step| format!("$ perennial {line}\n{}{}[{}]\n\n", ran.out, ran.err, ran.code);
    steps.iter().map(screen).collect()
}

impl<'a> Session<'a> {
    pub(crate) fn of(shell: &'a Shell, format: &'a str, output: &'a str) -> Self {
        Self { shell, format, output, steps: Vec::new() }
    }

    pub(crate) fn run(&mut self, line: &str) -> String {
        self.run_with(line, "")
    }

    pub(crate) fn run_with(&mut self, line: &str, stdin: &str) -> String {
        let words = words(line);
        let mut arguments = vec!["--format", self.format, "--output", self.output];
        arguments.extend(words.iter().map(String::as_str));
        let ran = self.shell.run_with(&arguments, stdin);
        let environment = self.shell.environment();
        let secrets = environment.iter().map(|(_, secret)| secret.as_str());
        for secret in secrets.chain([CARD, CSC, "4111 1111", ACCOUNT]) {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{line} tells a secret");
        }
        // Except for a URL, which must be copied as a whole.
        let is_wide = |line: &&str| line.chars().count() > 80 && !line.contains("://");
        let wide = ran.out.lines().filter(|_| self.output == "table").find(is_wide);
        assert_eq!(wide, None, "{line}");
        let documents =
            [&ran.out, &ran.err].into_iter().filter(|text| self.output == "json" && !text.is_empty());
        for document in documents {
            serde_json::from_str::<Value>(document)
                .unwrap_or_else(|error| panic!("{line}: {error}\n{document}"));
        }
        let out = ran.out.clone();
        self.steps.push(Step { line: line.to_owned(), ran });
        out
    }

    pub(crate) fn id(&mut self, field: &str, line: &str) -> String {
        self.id_with(field, line, "")
    }

    /// Runs a line and returns the value of a field of its answer.
    pub(crate) fn id_with(&mut self, field: &str, line: &str, stdin: &str) -> String {
        let out = self.run_with(line, stdin);
        let of_table = || {
            let mut lines = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            lines
                .find(|words| words.first() == Some(&field))
                .and_then(|words| words.get(1).map(|id| (*id).to_owned()))
        };
        let of_json = || {
            let value = &serde_json::from_str::<Value>(&out).ok()?[field];
            value.as_str().or_else(|| value[0].as_str()).map(str::to_owned)
        };
        let of_csv = || {
            let mut lines = out.lines().map(|line| line.split(','));
            let column = lines.next()?.position(|name| name == field)?;
            Some(lines.next()?.nth(column)?.to_owned())
        };
        of_json()
            .or_else(of_table)
            .or_else(of_csv)
            .unwrap_or_else(|| panic!("{line} answers no {field}:\n{}", screens(&self.steps)))
    }
}

/// Splits a line into words; single quotes group.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn tables_are_the_same_in_both_formats() {
    let json = screens(&transcript("json", "table"));
    insta::assert_snapshot!("tables", json);
    assert_eq!(json, screens(&transcript("xml", "table")));
}

/// Holds: With `--output json` a command prints one JSON document on standard output, the same over JSON and
/// XML.
#[test]
fn documents_are_the_same_in_both_formats() {
    let json = screens(&transcript("json", "json"));
    insta::assert_snapshot!("documents", json);
    assert_eq!(json, screens(&transcript("xml", "json")));
}
