//! Card data: only from standard input or a prompt.

use crate::shell::{CARD_JSON, KEY, Shell, finish, finish_without_stdin, perennial};

#[test]
fn what_stands_on_standard_input() {
    let shell = Shell::open();
    for (stdin, code, message) in [
        (CARD_JSON, 0, ""),
        ("4111111111111111\n1230\n9786\n", 0, ""),
        ("4111-1111-1111-1111\r\n12/30\r\n9786", 0, ""),
        ("", 2, "standard input is empty"),
        ("{", 2, "is not {"),
        ("4111111111111112\n1230\n9786", 2, "card: must be a card number whose check digit is right"),
        ("4111111111111111\n1330\n9786", 2, "exp-date of the card: must be an expiry"),
        ("4111111111111111\n1230", 2, "csc: is required"),
        (r#"{"exp-date":"1330","csc":"x"}"#, 2, "3 values break rules"),
    ] {
        let ran = shell.run_with(&["tokens", "create", "--description", "a card", "--card-stdin"], stdin);
        assert_eq!(ran.code, code, "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
        assert!(!ran.err.contains("411111111111111"), "{}", ran.err);
    }
}

#[test]
fn too_much_on_standard_input_is_refused() {
    let shell = Shell::open();
    let endless = "4".repeat(100_000);
    let ran = shell.run_with(&["tokens", "create", "--description", "a card", "--card-stdin"], &endless);
    assert_eq!((ran.code, ran.err.as_str()), (2, "error: the card data of standard input is too long\n"));
}

/// Checks that without a terminal the command neither prompts nor waits.
#[test]
fn without_a_terminal_there_is_no_prompt() {
    let create = ["tokens", "create", "--description", "a card"];
    let with_key = |command: &mut std::process::Command| {
        command.args(create).env("PERENNIAL_API_KEY", KEY);
    };
    let mut command = perennial();
    with_key(&mut command);
    let piped = finish(command, CARD_JSON);
    let mut command = perennial();
    with_key(&mut command);
    let nowhere = finish_without_stdin(command);
    for ran in [piped, nowhere] {
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("pass --card-stdin and send the card to standard input"), "{}", ran.err);
    }
}

#[test]
fn a_closed_standard_input_does_not_hang() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    for (line, code) in [
        ("perennial customers search <&-", 0),
        ("perennial tokens create --description x --card-stdin <&-", 2),
        ("perennial tokens create --description x <&-", 2),
    ] {
        let ran = shell.run_line(line, folder.path());
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
    }
}
