//! Plans that other software made, adopted by the command alone; second subscriptions; and decisions under a key.

use std::fs;

use crate::shell::runtime;
use crate::subscriptions::Club;

impl Club {
    /// A plan that other software made.
    fn old_plan(&self, amount: &str, more: &str) -> String {
        let line = format!(
            "--output json plans create --plan-name Old --customer-key {} --token-id {} --frequency-day 15 \
             --payment-amount {amount} --start-date 2027-01-15 --end-date 2028-01-14 --status ACTIVE --allow-second{more}",
            self.customer, self.token
        );
        let ran = self.desk.shell.run(&line.split(' ').collect::<Vec<_>>());
        let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        plan["plan-key"].as_str().unwrap().to_owned()
    }

    fn gateway(&self) -> String {
        runtime().block_on(self.desk.shell.world().state()).unwrap()
    }
}

const START: &str = "{start} --token-id {token} --id M-7 --amount 30 --day 15";

/// Lines in their order, each with its status and a part of its output or error, and whether the gateway stays as it is.
/// `PLAN` charges 20.00, `ORPHAN` 30.00, and `SUSPENDED` nothing.
const LINES: &[(&str, i32, &str, bool)] = &[
    ("subscriptions adopt --actor ada", 2, "--id <ID>", true),
    ("subscriptions adopt --id M-1 --file plans.csv --actor ada", 2, "cannot be used with", true),
    ("subscriptions adopt --id M-1 --actor ada", 5, "there is no journal", true),
    ("subscriptions adopt --id M-1 --plan-key PLAN --actor ada --dry-run", 0, "12  2027-12-15", true),
    ("subscriptions adopt --id M-1 --plan-key SUSPENDED --actor ada --dry-run", 2, "it is SUSPENDED", true),
    ("subscriptions adopt --id M-1 --plan-key plan_0 --shadow --actor ada", 5, "knows no such object", true),
    ("subscriptions adopt --id M-1 --plan-key PLAN --shadow --actor ada", 0, "it ends with", true),
    ("subscriptions adopt --id M-1 --plan-key PLAN --shadow --actor ada", 0, "status        active", true),
    (
        "subscriptions adopt --id M-2 --plan-key PLAN --shadow --actor ada",
        2,
        "is of another subscription",
        true,
    ),
    ("subscriptions adopt --id M-2 --shadow --actor ada", 2, "add --plan-key KEY", true),
    ("subscriptions adopt --id M-2 --plan-key SUSPENDED --shadow --actor ada", 2, "it is SUSPENDED", true),
    ("subscriptions list", 0, "M-1  active           20.00   15  2027-01-15", true),
    ("subscriptions change M-1 --amount 25 --actor ada", 2, "perennial subscriptions adopt --id M-1", true),
    ("subscriptions adopt --id M-1 --actor ada --dry-run", 0, "2027-01-15", true),
    ("work --until-idle", 0, "steps", true),
    (
        "subscriptions adopt --id M-1 --actor ada --reason tested",
        0,
        "next          20.00 on 2027-01-15",
        true,
    ),
    ("subscriptions adopt --id M-1 --actor ada", 0, "status        active", true),
    ("subscriptions adopt --id M-1 --plan-key PLAN --shadow --actor ada", 2, "is not in shadow", true),
    (START, 7, "perennial subscriptions adopt --id M-7 --plan-key ORPHAN", true),
    ("{start} --token-id {token} --id M-7 --amount 30 --day 15 --dry-run", 7, "--allow-second", true),
    (
        "subscriptions adopt --id M-7 --plan-key ORPHAN --operation-key take --actor ada",
        0,
        "30.00 on day 15",
        true,
    ),
    ("{start} --token-id {token} --id M-8 --amount 30 --day 15", 7, "the subscription M-7 charges", true),
    (
        "{start} --token-id {token} --id M-8 --amount 30 --day 15 --allow-second",
        0,
        "status        active",
        false,
    ),
    // Decisions under keys.
    ("subscriptions change M-8 --amount 31 --operation-key k1 --actor ada", 0, "31.00 on day 15", false),
    ("subscriptions change M-8 --amount 32 --operation-key k2 --actor ada", 0, "32.00 on day 15", false),
    ("subscriptions change M-8 --amount 31 --operation-key k1 --actor ada", 0, "32.00 on day 15", true),
    (
        "subscriptions change M-8 --amount 31 --operation-key k1 --actor ada",
        0,
        "was taken before under",
        true,
    ),
    (
        "subscriptions change M-8 --amount 33 --operation-key k1 --actor ada",
        2,
        "k1 was used for something else",
        true,
    ),
    ("subscriptions pause M-8 --until 2027-03-01 --operation-key k2 --actor ada", 2, "k2 was used", true),
    (
        "subscriptions pause M-8 --until 2027-03-01 --operation-key k3 --actor ada",
        0,
        "pause         from",
        false,
    ),
    (
        "subscriptions resume M-8 --operation-key k4 --actor ada",
        0,
        "next          32.00 on 2027-01-15",
        false,
    ),
    (
        "subscriptions pause M-8 --until 2027-03-01 --operation-key k3 --actor ada",
        0,
        "32.00 on 2027-01-15",
        true,
    ),
    (
        "subscriptions cancel M-8 --on 2027-02-20 --operation-key k5 --actor ada",
        0,
        "until         2027-02-20",
        false,
    ),
    ("subscriptions keep M-8 --operation-key k6 --actor ada", 0, "next          32.00 on 2027-03-15", true),
    (
        "subscriptions cancel M-8 --on 2027-02-20 --operation-key k5 --actor ada",
        0,
        "32.00 on 2027-03-15",
        true,
    ),
    (
        "{start} --token-id {token} --id M-9 --amount 9 --day 9 --charges 2 --operation-key k7",
        0,
        "until         2027-02-09",
        false,
    ),
    ("subscriptions cancel M-9 --now --operation-key k8 --actor ada", 0, "status        ended", false),
    (
        "{start} --token-id {token} --id M-9 --amount 9 --day 9 --charges 2 --operation-key k7",
        0,
        "status        ended",
        true,
    ),
    (
        "subscriptions resume M-8 --operation-key perennial/control --actor ada",
        2,
        "an operation key has",
        true,
    ),
];

/// Holds: Each command that adopts a plan, ends a shadow, or has an operation key has its exit status and says what it did; an
/// adoption in shadow changes nothing at the gateway, and one without changes none of its plans.
#[test]
fn plans_are_adopted_one_by_one() {
    let club = Club::open();
    let (plan, orphan) = (club.old_plan("20.00", ""), club.old_plan("30.00", ""));
    let suspended = club.old_plan("40.00", "");
    assert_eq!(club.desk.shell.run(&["plans", "suspend", &suspended]).code, 0);
    for (line, code, part, is_same) in LINES {
        let named = |text: &str| {
            let text = text.replace("PLAN", &plan).replace("ORPHAN", &orphan);
            text.replace("SUSPENDED", if text.starts_with("it is") { "SUSPENDED" } else { &suspended })
        };
        let before = club.gateway();
        let ran = club.run(&named(line));
        let said = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == *code && said.contains(&named(part)), "{line}: {}\n{said}", ran.code);
        assert_eq!(before == club.gateway(), *is_same, "{line}");
        // What is refused was not taken before.
        assert!(*code != 2 || ran.err.starts_with("error: "), "{line}: {}", ran.err);
    }
    // The adopted plans charge, and each is known.
    club.desk.shell.advance("P20D");
    club.work();
    assert!(club.run("due-days list --id M-1 --state paid").out.contains("2027-01-15"));
    assert_eq!(club.run("books check --month 2027-01").code, 0);
}

/// Holds: A file of plans is imported row by row: a bad row is told and stops no other, the status tells, and the same file
/// again goes on. In shadow, nothing is written.
#[test]
fn plans_are_adopted_by_file() {
    let club = Club::open();
    let plans: Vec<String> = ["20.00", "21.00", "22.00"].map(|amount| club.old_plan(amount, "")).to_vec();
    let file = club.desk.folder.path().join("plans.csv");
    let import = format!("subscriptions adopt --file {} --actor ada", file.display());
    let gateway = club.gateway();
    for (text, expected) in [
        ("", "has no header with the columns id and plan-key"),
        ("id,key\nM-1,x\n", "has no header with the columns id and plan-key"),
        ("id,plan-key\n", "lists nothing"),
        ("id,plan-key\nM-1\n", "is not CSV in line 2"),
    ] {
        fs::write(&file, text).unwrap();
        let ran = club.run(&import);
        assert!(ran.code == 2 && ran.err.contains(expected), "{text}: {}{}", ran.out, ran.err);
    }
    let rows = |bad: &str| {
        format!(
            "\u{feff}name,plan-key,id\r\nAda,{},M-1\r\n\"Low, Eve\",{bad}\r\nIda,{},M-3\r\n",
            plans[0], plans[2]
        )
    };
    fs::write(&file, rows("plan_gone,M-2")).unwrap();
    let results = |line: &str| {
        let ran = club.run(&format!("--output csv {line} --shadow"));
        let rows: Vec<String> = ran.out.lines().skip(1).map(str::to_owned).collect();
        (ran.code, rows, ran.err)
    };
    let ran = club.run(&format!("{import} --shadow --dry-run"));
    assert!(ran.code == 1 && ran.out.contains("would be adopted"), "{}{}", ran.out, ran.err);
    assert!(!club.desk.file().exists());
    // The table has the reason of a refused row, too.
    assert!(ran.out.contains("reason") && ran.out.contains("knows no such object"), "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    let (code, listed, err) = results(&import);
    assert!(code == 1 && err.contains("1 of 3 rows were refused"), "{listed:?}{err}");
    assert!(
        listed[0].contains("adopted,2027-01-15") && listed[2].contains("adopted,2027-01-15"),
        "{listed:?}"
    );
    assert!(listed[1].contains("refused"), "{listed:?}");
    fs::write(&file, rows(&format!("{},M-2", plans[1]))).unwrap();
    let (code, listed, err) = results(&import);
    let of = |number: usize, result: &str| listed[number].contains(result);
    assert!(code == 0 && of(0, "unchanged") && of(1, "adopted") && of(2, "unchanged"), "{listed:?}{err}");
    assert_eq!(club.gateway(), gateway, "nothing is written in shadow");
    let ran = club.run(&format!("{import} --operation-key all"));
    assert!(ran.code == 0 && ran.out.matches("shadow ended").count() == 3, "{}{}", ran.out, ran.err);
    let ran = club.run(&format!("{import} --operation-key all"));
    assert!(ran.code == 0 && ran.out.matches("unchanged").count() == 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
}
