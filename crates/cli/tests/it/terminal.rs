//! Terminal output: colors, a pager and progress on a terminal, and none of them in a pipe.

use std::process::Command;

use crate::shell::{KEY, Ran, answer, finish, finish_without_stdin, gateway, perennial};

/// Runs a shell line, in which `perennial` is a command, on a terminal of ten rows. Its output on either stream is
/// one text.
fn on_a_terminal(line: &str, environment: &[(&str, &str)]) -> Ran {
    let line = format!("stty rows 10 cols 80; {line}");
    let mut command = Command::new("script");
    command.args([
        "--quiet",
        "--return",
        "--command",
        &line.replace("perennial", env!("CARGO_BIN_EXE_perennial")),
    ]);
    command.arg("/dev/null").env_clear().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    command.env("TERM", "xterm").env("PERENNIAL_API_KEY", KEY).envs(environment.iter().copied());
    let ran = finish_without_stdin(command);
    Ran { out: ran.out.replace("\r\n", "\n"), ..ran }
}

/// Holds: Colors appear only on terminals that support them.
#[test]
fn colors_are_for_terminals_that_have_them() {
    for (environment, colored) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
        (&[("CLICOLOR", "0")], false),
    ] {
        for line in ["perennial --help", "perennial customers search --api-key-file /nowhere"] {
            let output = on_a_terminal(line, environment).out;
            assert_eq!(output.contains('\u{1b}'), colored, "{line} {environment:?}: {output}");
        }
    }
    for (environment, colored) in [(("TERM", "xterm"), false), (("CLICOLOR_FORCE", "1"), true)] {
        let mut command = perennial();
        command.args(["customers", "search"]).env(environment.0, environment.1);
        let output = finish(command, "").err;
        assert_eq!(output.contains('\u{1b}'), colored, "{environment:?}: {output}");
        assert!(output.contains("error:"), "{output}");
    }
}

/// Two pages of six customers.
fn customers() -> String {
    let page = |number: u32| {
        let customer = |n: u32| format!(r#"{{"customer-key":"cust_{number}_{n}"}}"#);
        let customers = (0..6).map(customer).collect::<Vec<_>>().join(",");
        let last = number == 2;
        answer(
            "200 OK",
            &format!(
                r#"{{"code":"200","page":{{"number":{number},"total-pages":2,"last":{last}}},
                "payload":{{"customers":{{"customer":[{customers}]}},"payloadType":"customers"}}}}"#
            ),
        )
    };
    gateway(vec![page(1), page(2)].into_iter())
}

#[test]
fn a_table_longer_than_the_terminal_is_paged() {
    let all = "customers search --all";
    for (options, environment, paged) in [
        (all, &[("PAGER", "sed s/^/paged:/")][..], true),
        (all, &[("PERENNIAL_PAGER", "sed s/^/paged:/"), ("PAGER", "false")], true),
        (all, &[("PERENNIAL_PAGER", ""), ("PAGER", "sed s/^/paged:/")], false),
        (all, &[("PAGER", "no-such-pager")], false),
        // The pager shows the text, and does not wait if all of it fits on its screen.
        (all, &[("PAGER", "cat")], false),
        ("--no-pager customers search --all", &[("PAGER", "sed s/^/paged:/")], false),
        ("customers search", &[("PAGER", "sed s/^/paged:/")], false),
        ("--output csv customers search --all", &[("PAGER", "sed s/^/paged:/")], false),
    ] {
        let line = format!("perennial --base-url {} {options}", customers());
        let ran = on_a_terminal(&line, environment);
        assert_eq!(ran.code, 0, "{line} {environment:?}: {}", ran.out);
        assert_eq!(ran.out.contains("paged:cust_1_0"), paged, "{line} {environment:?}: {}", ran.out);
        assert!(ran.out.contains("cust_1_5"), "{line} {environment:?}: {}", ran.out);
        let piped =
            on_a_terminal(&format!("perennial --base-url {} {options} | cat", customers()), environment);
        assert!(piped.out.contains("cust_1_5") && !piped.out.contains("paged:"), "{line}: {}", piped.out);
    }
}

/// Checks that a pager that is left early ends nothing else, and that no pager gets a key.
///
/// Holds: A pager gets no key.
#[test]
fn a_pager_is_not_to_be_trusted() {
    for (pager, output) in [("true", ""), ("env", "PAGER=env")] {
        let line = format!("perennial --base-url {} customers search --all", customers());
        let ran = on_a_terminal(&line, &[("PAGER", pager)]);
        assert_eq!(ran.code, 0, "{}", ran.out);
        assert!(ran.out.contains(output) && !ran.out.contains(KEY), "{}", ran.out);
    }
}

/// Holds: Progress appears on a terminal only if the results go elsewhere.
#[test]
fn progress_is_for_whoever_sees_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let to_a_file = format!("> {}", folder.path().join("all").display());
    for (options, seen) in [
        (format!("customers search --all {to_a_file}"), true),
        (format!("--output jsonl customers search --all {to_a_file}"), true),
        (format!("customers search {to_a_file}"), false),
        (format!("customers search --all {to_a_file} 2>&1"), false),
        ("--output jsonl customers search --all".to_owned(), false),
    ] {
        let ran = on_a_terminal(&format!("perennial --base-url {} {options}", customers()), &[]);
        assert_eq!(ran.code, 0, "{options}: {}", ran.out);
        assert_eq!(ran.out.contains("so far"), seen, "{options}: {:?}", ran.out);
    }
    let all = std::fs::read_to_string(folder.path().join("all")).unwrap();
    assert!(all.contains("cust_2_5") && !all.contains("so far"), "{all}");
}
