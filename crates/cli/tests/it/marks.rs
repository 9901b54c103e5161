//! Byte order marks before a text that the command reads are skipped, for every source of the text; UTF-16 is refused
//! by name.

use std::path::PathBuf;

use crate::clientpay::INVOICES_JSON;
use crate::shell::{ACCOUNT_JSON, CARD_JSON, Ran, Shell, finish, perennial, write_private};

const INVOICE: &str =
    r#"{"number":"INV-1","date":"2027-01-04","lines":[{"description":"Labor","amount":"25.00"}]}"#;

fn marked(text: &str) -> String {
    format!("\u{feff}{text}")
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn standard_input() {
    let shell = Shell::open();
    let lines = "4111111111111111\n1230\n9786\n";
    for (line, stdin) in [
        ("transactions sale --amount 5.00 --card-stdin", CARD_JSON),
        ("transactions sale --amount 6.00 --card-stdin", lines),
        ("tokens create --description card --card-stdin", CARD_JSON),
        ("clientpay pay --total-amount 5.00 --card-stdin", CARD_JSON),
        ("clientpay pay --total-amount 6.00 --name-on-account Lind --account-stdin", ACCOUNT_JSON),
        ("clientpay page create invoice --invoices-file - --session-id S-1", INVOICES_JSON),
        ("invoice page --invoice-file - --header-text Marsh", INVOICE),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ran = shell.run_with(&arguments, &marked(stdin));
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    }
}

#[test]
fn files() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        write_private(&path, text);
        path
    };
    let secret = |variable: &str| {
        let name = format!("PERENNIAL_CLIENTPAY_{variable}");
        shell.environment().into_iter().find(|(known, _)| *known == name).unwrap().1
    };
    let credentials = format!(
        r#"{{"integratorKey":"{}","accountKey":"{}","accountPin":"{}"}}"#,
        secret("INTEGRATOR_KEY"),
        secret("ACCOUNT_KEY"),
        secret("ACCOUNT_PIN")
    );
    let keys = folder.path().join("keys.age").to_str().unwrap().to_owned();
    let passphrase = file("passphrase", marked("correct horse battery staple\r\n").as_bytes());
    let key_options = ["--keys", &keys, "--passphrase-file", passphrase.to_str().unwrap()];
    let cases: [(&str, &str, Vec<&str>); 5] = [
        ("--api-key-file", shell.key(), vec!["customers", "search"]),
        ("--credentials-file", &credentials, vec!["clientpay", "request-id"]),
        ("--invoice-file", INVOICE, vec!["invoice", "page", "--header-text", "Marsh"]),
        (
            "--invoices-file",
            INVOICES_JSON,
            vec!["clientpay", "page", "create", "invoice", "--session-id", "S-2"],
        ),
        ("--key-file", shell.key(), [&key_options[..], &["connect"]].concat()),
    ];
    for (option, text, arguments) in &cases {
        for (name, bytes, code) in [("marked", marked(text).into_bytes(), 0), ("utf16", utf16(text), 2)] {
            let path = file(name, &bytes);
            let ran = shell.run(&[&arguments[..], &[option, path.to_str().unwrap()]].concat());
            assert_eq!(ran.code, code, "{option} {name}: {}", ran.err);
            assert!(code == 0 || ran.err.contains("is UTF-16: save it as UTF-8"), "{option}: {}", ran.err);
        }
    }
    // The passphrase is the same without its mark and its line ending.
    let passphrase = file("passphrase", b"correct horse battery staple");
    let key_options = ["--keys", &keys, "--passphrase-file", passphrase.to_str().unwrap()];
    let mut command = perennial();
    command.args(["--profile", "default"]).args(key_options).args(["batches", "list"]);
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn variables() {
    let shell = Shell::open();
    for line in ["customers search", "clientpay request-id"] {
        let mut command = perennial();
        command.args(["--base-url", shell.url()]).args(line.split(' '));
        command.envs(shell.environment().map(|(name, secret)| (name, marked(&secret))));
        let Ran { code, err, .. } = finish(command, "");
        assert_eq!(code, 0, "{line}: {err}");
    }
    let mut command = perennial();
    command.args(["--store", "variables", "--profile", "north", "batches", "list"]);
    command.env("PERENNIAL_API_KEY_NORTH", marked(shell.key()));
    command.env("PERENNIAL_ENVIRONMENT_NORTH", marked(shell.url()));
    let Ran { code, err, .. } = finish(command, "");
    assert_eq!(code, 0, "{err}");
}
