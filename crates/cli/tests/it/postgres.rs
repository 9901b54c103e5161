//! Journals in `PostgreSQL`: the same commands, and the password in no output.

#[path = "../../../journal/tests/common/postgres.rs"]
mod server;

use std::fs;
use std::process::Command;

use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::desk::{Desk, effects, kind};
use crate::shell::{CARD_JSON, Ran, Shell, finish, perennial, write_private};

const SALE: &str = "transactions sale --amount 25 --card-stdin";
const PASSWORD: &str = "Cobalt:7 &%/hill";

/// Holds: A journal in `PostgreSQL` serves the command as one in a file does: a lost response is found, a person decides, and a hold stops what is sent.
#[test]
fn a_journal_in_postgresql_serves_the_command() {
    let desk = Desk { url: Some(server::database()), ..Desk::of(Shell::open()) };
    let create = "customers create --first-name Ada --last-name Byron";
    desk.fault(&Fault::on("customers.create", Effect::DropReply).nth(2));
    let how = |ran: &Ran| {
        let printed: Value = serde_json::from_str(&ran.out).unwrap_or_default();
        (ran.code, printed["operation"]["how"].as_str().unwrap_or_default().to_owned())
    };
    for expected in ["adopted", "replayed"] {
        let ran = desk.write("first", create, "");
        assert_eq!(how(&ran), (0, expected.to_owned()), "{}", ran.err);
    }
    desk.fault(&Fault::on("transactions.sale", Effect::ErrorBefore { status: 500 }).nth(1));
    assert_eq!(desk.write("fee", SALE, CARD_JSON).code, 75);
    desk.shell.advance("PT10M");
    let idle = desk.run("journal run --until-idle --clock sandbox", "");
    assert_eq!(idle.code, 0, "{}", idle.err);
    let listed = desk.run("--output json journal list --state needs-person", "");
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((listed.len(), &listed[0]["operation-key"]), (1, &"fee".into()));
    // The printed command names the database, whose URL has no password.
    let shown = desk.run("journal show fee", "");
    let command = shown.out.lines().find_map(|line| line.strip_prefix("if not")).unwrap().trim().to_owned();
    assert!(command.contains(" --db postgres://perennial@127.0.0.1:"), "{command}");
    let resolved = desk.shell.run_line(&command.replace("TEXT", "portal"), desk.folder.path());
    assert_eq!(resolved.code, 0, "{}", resolved.err);
    assert_eq!(kind(&desk.write("fee", SALE, CARD_JSON)), "refused");
    let pay = "clientpay payers create --first-name Rosa --last-name Lind --email rosa@example.test";
    assert_eq!(how(&desk.write("rosa", pay, "")), (0, "sent".to_owned()));
    assert_eq!(desk.run("hold on --reason prices --actor ada", "").code, 0);
    for line in [create, pay] {
        assert_eq!(kind(&desk.write("held", line, "")), "planned", "{line}");
    }
    assert_eq!(desk.run("hold off --reason prices --actor ada", "").code, 0);
    assert_eq!(desk.write("held", create, "").code, 0);
    let doctor = desk.run("journal doctor", "");
    assert!(doctor.out.contains("postgres://127.0.0.1:"), "{}{}", doctor.out, doctor.err);
    assert_eq!(effects(&desk.log(), "customers.create", ""), 3);
}

/// Holds: The password of a `PostgreSQL` database comes from PGPASSWORD, a password file or `PERENNIAL_DB`, never from an argument, and is in no output and no error.
#[test]
fn the_password_is_in_no_output() {
    let (shell, folder) = (Shell::open(), tempfile::tempdir().unwrap());
    let mut server = server::Cluster::start();
    let url = server.database();
    server.sql("postgres", &format!("ALTER ROLE perennial PASSWORD '{PASSWORD}'"));
    server.stop();
    server.put("hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n");
    server.run(&[&format!("hba_file={}", server.folder().join("hba.conf").display())]);

    let (passwords, open) = (folder.path().join("pgpass"), folder.path().join("open"));
    write_private(
        &passwords,
        format!("# here\n*:*:*:eve:no\n127.0.0.1:*:*:perennial:{}\n", escaped(PASSWORD)),
    );
    fs::write(&open, format!("*:*:*:*:{}\n", escaped(PASSWORD))).unwrap();
    let (passwords, open) = (passwords.display().to_string(), open.display().to_string());
    let encoded = PASSWORD.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let inline = url.replace("perennial@", &format!("perennial:{encoded}@"));
    let parameter = format!("{url}?password={encoded}");
    let lost = "transactions void 700001 --operation-key k --clock sandbox";
    for (variables, arguments, code) in [
        (&[("PGPASSWORD", PASSWORD), ("PERENNIAL_DB", &url)][..], &[][..], 75),
        (&[("PGPASSFILE", &passwords), ("PERENNIAL_DB", &url)], &[], 75),
        (&[("PGPASSWORD", PASSWORD)], &["--db", &url], 75),
        (&[("PERENNIAL_DB", &inline)], &[], 75),
        (&[("PERENNIAL_DB", &parameter)], &[], 75),
        (&[("PERENNIAL_DB", &url)], &[], 69),
        (&[("PERENNIAL_DB", &url), ("PGPASSWORD", "another one")], &[], 69),
        (&[("PERENNIAL_DB", &url), ("PGPASSFILE", &open)], &[], 69),
        (&[], &["--db", &inline], 2),
        (&[], &["--db", &parameter], 2),
    ] {
        let fault = Fault::on("transactions.void", Effect::ErrorBefore { status: 429 });
        crate::shell::runtime().block_on(shell.world().fault(&fault)).unwrap();
        let mut command = perennial();
        command.args(["--base-url", shell.url(), "--verbose"]).args(lost.split(' ')).args(arguments);
        command.envs(shell.environment()).envs(variables.iter().copied());
        let ran = finish(command, "");
        assert_eq!(ran.code, code, "{variables:?} {arguments:?}: {}", ran.err);
        for text in [&ran.out, &ran.err] {
            for secret in [PASSWORD, "Cobalt", &encoded, "another one"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        if code == 75 {
            // The command that is printed opens the same journal, with the same variables.
            let line = ran.err.lines().find_map(|line| line.trim().strip_prefix("look with: ")).unwrap();
            let has_db = line.contains(" --db ");
            assert_eq!(has_db, variables.iter().all(|(_, value)| !value.contains(&encoded)), "{line}");
            let mut shown = Command::new("/bin/sh");
            let bin = std::path::Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
            shown.args(["-c", line]).env_clear().env("PATH", bin).envs(variables.iter().copied());
            let shown = finish(shown, "");
            assert_eq!(shown.code, 0, "{line}: {}", shown.err);
            assert!(!shown.out.contains("Cobalt"), "{}", shown.out);
        }
    }
}

/// A field of a password file.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(':', "\\:")
}
