//! The generator and the oracle find faults: each client here reads replies in a way that was once a fault, and is
//! caught; a careful one is not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use perennial_oracle::{
    CASES, Case, Conclusion, Expect, Format, Reply, Tree, Vendor, golden, judge, mutations,
};

/// How a client reads a reply.
type Reading = fn(&Case, &Reply) -> Conclusion;

/// The mutations from which this reading concludes what it must not, or fails to conclude what it must.
fn caught(vendor: Vendor, reading: Reading) -> impl Iterator<Item = String> {
    let cases = CASES.iter().filter(move |case| case.vendor == vendor);
    let formats = cases.flat_map(|case| case.formats().iter().map(move |&format| (case, format)));
    formats.flat_map(move |(case, format)| {
        let right = reading(case, &golden(case, format));
        mutations(case, format).filter_map(move |mutation| {
            let concluded = reading(case, &mutation.reply);
            let missed = mutation.harmless && concluded != right;
            let wrong = missed || !judge(case, &mutation.reply).allows(concluded);
            wrong.then(|| format!("{} {format:?}, {}: {concluded:?}", case.name(), mutation.name))
        })
    })
}

/// Concludes what the oracle allows first, and otherwise that nothing is known.
fn careful(case: &Case, reply: &Reply) -> Conclusion {
    let allowed = judge(case, reply);
    let definite = [
        Conclusion::Done,
        Conclusion::Partial,
        Conclusion::Declined,
        Conclusion::NotDone,
        Conclusion::Absent,
        Conclusion::Unauthorized,
    ];
    definite.into_iter().find(|&conclusion| allowed.allows(conclusion)).unwrap_or(Conclusion::Unknown)
}

fn tree(reply: &Reply) -> Option<Tree> {
    [Format::Json, Format::Xml].into_iter().find_map(|format| Tree::read(format, &reply.body))
}

fn object(case: &Case, tree: &Tree) -> Option<Tree> {
    let payload = tree.all("payload").into_iter().next().unwrap_or(tree);
    case.objects.iter().flat_map(|name| payload.all(name)).next().cloned()
}

fn text<'a>(tree: &'a Tree, member: &str) -> Option<&'a str> {
    tree.scalar(member).ok().flatten()
}

/// Careful, but for a reply on which this rule has something to say.
fn unless(case: &Case, reply: &Reply, rule: impl FnOnce(&Tree) -> Option<Conclusion>) -> Conclusion {
    tree(reply).as_ref().and_then(rule).unwrap_or_else(|| careful(case, reply))
}

/// Holds: The oracle passes a client that concludes nothing without evidence.
#[test]
fn a_careful_client_passes() {
    for vendor in [Vendor::Clearent, Vendor::ClientPay] {
        let caught: Vec<_> = caught(vendor, careful).collect();
        assert!(caught.is_empty(), "{}", caught.join("\n"));
    }
}

#[test]
fn a_client_that_knows_nothing_is_caught_by_harmless_changes() {
    let always_unknown: Reading = |_, _| Conclusion::Unknown;
    assert_eq!(caught(Vendor::Clearent, always_unknown).next(), None, "it never says anything wrong");
    for case in CASES.iter().filter(|case| case.reply != "duplicate") {
        for &format in case.formats() {
            let right = careful(case, &golden(case, format));
            assert_ne!(right, Conclusion::Unknown, "{} {format:?} must be believed", case.name());
        }
    }
}

/// Holds: The oracle catches each planted wrong reading of a reply.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_planted_reading_is_caught() {
    let planted: &[(&str, Vendor, Reading)] = &[
        ("success false is a refusal, whatever it names", Vendor::ClientPay, |case, reply| {
            unless(case, reply, |tree| {
                (text(tree, "success") == Some("false")).then_some(Conclusion::NotDone)
            })
        }),
        ("an HTTP refusal is one, whatever it names", Vendor::ClientPay, |case, reply| match reply.status {
            400..=407 | 409..=424 => Conclusion::NotDone,
            _ => careful(case, reply),
        }),
        ("the word Approved is enough", Vendor::ClientPay, |case, reply| {
            unless(case, reply, |tree| {
                (text(tree, "paymentStatus") == Some("Approved")).then_some(Conclusion::Done)
            })
        }),
        ("an error hides the object beside it", Vendor::Clearent, |case, reply| {
            let reads = case.expect == Expect::Read;
            unless(case, reply, |tree| {
                let payload = tree.all("payload").into_iter().next()?;
                let error = payload.all("error").into_iter().next()?;
                (!reads && !error.members().is_empty()).then_some(Conclusion::NotDone)
            })
        }),
        ("the object hides the error beside it", Vendor::Clearent, |case, reply| {
            let payload = tree(reply).and_then(|tree| tree.all("payload").into_iter().next().cloned());
            let beside = payload.is_some_and(|payload| !payload.all("error").is_empty());
            if reply.status < 300 && beside && case.reply != "error" {
                Conclusion::Done
            } else {
                careful(case, reply)
            }
        }),
        ("the result alone approves", Vendor::Clearent, |case, reply| {
            charge(case, reply, |made| (text(made, "result") == Some("APPROVED")).then_some(Conclusion::Done))
        }),
        ("the code alone approves", Vendor::Clearent, |case, reply| {
            charge(case, reply, |made| (text(made, "result-code") == Some("000")).then_some(Conclusion::Done))
        }),
        ("what is not approved is declined", Vendor::Clearent, |case, reply| {
            charge(case, reply, |made| {
                (text(made, "result") != Some("APPROVED")).then_some(Conclusion::Declined)
            })
        }),
        ("another amount is the same charge", Vendor::Clearent, |case, reply| {
            let any_amount = Case { same: &[], ..*case };
            if judge(&any_amount, reply).allows(Conclusion::Done) {
                Conclusion::Done
            } else {
                careful(case, reply)
            }
        }),
        ("dates, day and status of a plan do not count", Vendor::Clearent, |case, reply| {
            let any_term = Case { if_present: &[], ..*case };
            let is_a_plan = case.operation == "plans.create";
            let done = is_a_plan && judge(&any_term, reply).allows(Conclusion::Done);
            if done { Conclusion::Done } else { careful(case, reply) }
        }),
        ("a page with a 4xx is the gateway's refusal", Vendor::Clearent, |case, reply| match reply.status {
            400 | 404 | 409 | 422 if case.expect != Expect::Read && tree(reply).is_none() => {
                Conclusion::NotDone
            }
            _ => careful(case, reply),
        }),
        ("429 is never definite, nor is a page with it", Vendor::Clearent, |case, reply| {
            match reply.status {
                429 if case.expect != Expect::Read => Conclusion::NotDone,
                _ => careful(case, reply),
            }
        }),
        ("a proxy's 404 is the gateway's", Vendor::Clearent, |case, reply| {
            match (case.expect, reply.status) {
                (Expect::Read, 404) => Conclusion::Absent,
                _ => careful(case, reply),
            }
        }),
        ("a proxy's 403 is the gateway's", Vendor::Clearent, |case, reply| {
            match (case.expect, reply.status) {
                (Expect::Read, 401 | 403) => Conclusion::Unauthorized,
                _ => careful(case, reply),
            }
        }),
        ("a byte order mark is no document", Vendor::Clearent, |case, reply| {
            if reply.body.starts_with(b"\xef\xbb\xbf") { Conclusion::Unknown } else { careful(case, reply) }
        }),
        ("media types are compared with case", Vendor::Clearent, |case, reply| {
            let known = reply.content_type.starts_with("application/") || reply.content_type.is_empty();
            if known { careful(case, reply) } else { Conclusion::Unknown }
        }),
        ("a member that comes twice counts once", Vendor::Clearent, |case, reply| {
            let once = tree(reply).map(|tree| Reply {
                body: without_doubles(&tree).write(Format::Json).into(),
                ..reply.clone()
            });
            once.map_or(Conclusion::Unknown, |once| careful(case, &once))
        }),
        ("another object beside it does not count", Vendor::Clearent, |case, reply| {
            unless(case, reply, |tree| {
                let alone = Tree::Members(vec![
                    ("code".into(), Tree::Text(reply.status.to_string())),
                    (
                        "payload".into(),
                        Tree::Members(vec![((*case.objects.first()?).into(), object(case, tree)?)]),
                    ),
                ]);
                let alone = Reply { body: alone.write(Format::Json).into(), ..reply.clone() };
                judge(case, &alone).allows(Conclusion::Done).then_some(Conclusion::Done)
            })
        }),
    ];
    for (name, vendor, reading) in planted {
        assert!(caught(*vendor, *reading).next().is_some(), "not caught: {name}");
    }
}

/// Careful, but for a transaction on which this rule has something to say.
fn charge(case: &Case, reply: &Reply, rule: impl FnOnce(&Tree) -> Option<Conclusion>) -> Conclusion {
    if case.expect != Expect::Charge || reply.status >= 500 {
        return careful(case, reply);
    }
    unless(case, reply, |tree| object(case, tree).and_then(|made| rule(&made)))
}

fn without_doubles(tree: &Tree) -> Tree {
    match tree {
        Tree::Members(members) => {
            let mut kept: Vec<(String, Tree)> = Vec::new();
            for (name, value) in members {
                if !kept.iter().any(|(before, _)| before == name) {
                    kept.push((name.clone(), without_doubles(value)));
                }
            }
            Tree::Members(kept)
        }
        Tree::List(items) => Tree::List(items.iter().map(without_doubles).collect()),
        scalar => scalar.clone(),
    }
}
