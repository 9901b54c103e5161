//! The generator and the oracle find faults: each client here reads replies with a fault that once existed, and is
//! caught; a careful client is not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use perennial_oracle::{
    CASES, Case, Claim, Conclusion, Expect, Format, Reply, Told, Tree, Vendor, fault, golden, judge,
    mutations, reported,
};

/// What a client concludes from a reply.
type Reading = fn(&Case, &Reply) -> Conclusion;

/// The claim of a client about a reply.
type Telling = fn(&Case, &Reply) -> Claim;

/// The mutations of these cases from which this client draws a wrong conclusion or misses a required one.
fn caught(
    of: impl Fn(&Case) -> bool,
    client: impl Fn(&Case, &Reply) -> Claim + Copy,
) -> impl Iterator<Item = String> {
    caught_in(of, &[Format::Json, Format::Xml], client)
}

/// The mutations in these formats from which this client draws a wrong conclusion or misses a required one.
fn caught_in(
    of: impl Fn(&Case) -> bool,
    formats: &[Format],
    client: impl Fn(&Case, &Reply) -> Claim + Copy,
) -> impl Iterator<Item = String> {
    let cases = CASES.iter().filter(move |case| of(case));
    let formats_of_case = cases.flat_map(|case| case.formats().iter().map(move |&format| (case, format)));
    let formats = formats_of_case.filter(|(_, format)| formats.contains(format));
    formats.flat_map(move |(case, format)| {
        let right = client(case, &golden(case, format));
        mutations(case, format).filter_map(move |mutation| {
            let fault = fault(case, &mutation, &right, &client(case, &mutation.reply))?;
            Some(format!("{} {format:?}, {}: {fault}", case.name(), mutation.name))
        })
    })
}

/// Draws the first conclusion that the oracle allows, or else that nothing is known.
fn careful(case: &Case, reply: &Reply) -> Conclusion {
    let allowed = judge(case, reply);
    let definite = [
        Conclusion::Done,
        Conclusion::Incomplete,
        Conclusion::Partial,
        Conclusion::Declined,
        Conclusion::NotDone,
        Conclusion::Absent,
        Conclusion::Unauthorized,
    ];
    definite.into_iter().find(|&conclusion| allowed.allows(conclusion)).unwrap_or(Conclusion::Unknown)
}

/// A claim with this conclusion and all objects of the reply.
fn with_objects(case: &Case, reply: &Reply, conclusion: Conclusion) -> Claim {
    let has_object = matches!(
        conclusion,
        Conclusion::Done | Conclusion::Incomplete | Conclusion::Partial | Conclusion::Declined
    );
    Claim { conclusion, told: if has_object { reported(case, reply) } else { Vec::new() } }
}

fn telling(case: &Case, reply: &Reply) -> Claim {
    with_objects(case, reply, careful(case, reply))
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

/// A careful client, except for replies to which this rule applies.
fn unless(case: &Case, reply: &Reply, rule: impl FnOnce(&Tree) -> Option<Conclusion>) -> Conclusion {
    tree(reply).as_ref().and_then(rule).unwrap_or_else(|| careful(case, reply))
}

fn assert_none_caught(of: impl Fn(&Case) -> bool, format: Format) {
    let caught: Vec<_> = caught_in(of, &[format], telling).collect();
    let first = &caught[..caught.len().min(200)];
    assert!(caught.is_empty(), "{} are caught: {}", caught.len(), first.join("\n"));
}

fn is_one_of_clearent(case: &Case) -> bool {
    case.vendor == Vendor::Clearent && case.list.is_none()
}

fn is_list_of_clearent(case: &Case) -> bool {
    case.vendor == Vendor::Clearent && case.list.is_some()
}

/// Holds: The oracle passes a client that concludes nothing without evidence.
#[test]
fn a_careful_client_of_clearent_passes() {
    assert_none_caught(is_one_of_clearent, Format::Json);
}

#[test]
fn a_careful_client_of_clearent_passes_in_xml() {
    assert_none_caught(is_one_of_clearent, Format::Xml);
}

#[test]
fn a_careful_client_of_clearents_lists_passes() {
    assert_none_caught(is_list_of_clearent, Format::Json);
}

#[test]
fn a_careful_client_of_clearents_lists_passes_in_xml() {
    assert_none_caught(is_list_of_clearent, Format::Xml);
}

#[test]
fn a_careful_client_of_clientpay_passes() {
    assert_none_caught(|case| case.vendor == Vendor::ClientPay, Format::Json);
}

#[test]
fn a_client_that_knows_nothing_says_nothing_wrong_and_is_no_use() {
    let always_unknown: Telling = |_, _| Conclusion::Unknown.into();
    for operation in ["plans.create", "plans.search", "payments.pay", "payments.search"] {
        let caught: Vec<_> = caught(|case| case.operation == operation, always_unknown).collect();
        assert!(caught.iter().all(|fault| fault.ends_with("the readable records are lost")), "{caught:?}");
        assert_eq!(caught.is_empty(), !operation.ends_with(".search"), "it loses every list: {operation}");
    }
}

#[test]
fn every_golden_reply_is_believed() {
    let undecided =
        ["payments.pay duplicate", "payments.pay results and 1 more", "payments.confirm results and 2 more"];
    for case in CASES.iter().filter(|case| !undecided.contains(&&*case.name())) {
        for &format in case.formats() {
            let right = careful(case, &golden(case, format));
            let is_pending = case.reply == "results" && case.operation == "payments.confirm";
            assert!(
                is_pending || right != Conclusion::Unknown,
                "{} {format:?} must be believed",
                case.name()
            );
        }
    }
}

/// Holds: The oracle catches each planted wrong reading of a reply.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_planted_reading_is_caught() {
    let planted: &[(&str, &str, Reading)] = &[
        ("success false is a refusal, whatever it names", "payments.pay", |case, reply| {
            unless(case, reply, |tree| {
                (text(tree, "success") == Some("false")).then_some(Conclusion::NotDone)
            })
        }),
        ("an HTTP refusal is one, whatever it names", "payments.pay", |case, reply| match reply.status {
            400..=407 | 409..=424 => Conclusion::NotDone,
            _ => careful(case, reply),
        }),
        ("the word Approved is enough", "payments.pay", |case, reply| {
            unless(case, reply, |tree| {
                (text(tree, "paymentStatus") == Some("Approved")).then_some(Conclusion::Done)
            })
        }),
        ("an error hides the object beside it", "plans.create", |case, reply| {
            let reads = case.expect == Expect::Read;
            unless(case, reply, |tree| {
                let payload = tree.all("payload").into_iter().next()?;
                let error = payload.all("error").into_iter().next()?;
                (!reads && !error.members().is_empty()).then_some(Conclusion::NotDone)
            })
        }),
        ("the object hides the error beside it", "plans.create", |case, reply| {
            let payload = tree(reply).and_then(|tree| tree.all("payload").into_iter().next().cloned());
            let beside = payload.is_some_and(|payload| !payload.all("error").is_empty());
            if reply.status < 300 && beside && case.reply != "error" {
                Conclusion::Done
            } else {
                careful(case, reply)
            }
        }),
        ("the result alone approves", "transactions.sale", |case, reply| {
            charge(case, reply, |made| (text(made, "result") == Some("APPROVED")).then_some(Conclusion::Done))
        }),
        ("the code alone approves", "transactions.sale", |case, reply| {
            charge(case, reply, |made| (text(made, "result-code") == Some("000")).then_some(Conclusion::Done))
        }),
        ("what is not approved is declined", "transactions.sale", |case, reply| {
            charge(case, reply, |made| {
                (text(made, "result") != Some("APPROVED")).then_some(Conclusion::Declined)
            })
        }),
        ("another amount is the same charge", "transactions.sale", |case, reply| {
            let any_amount = Case { same: &[], ..*case };
            if judge(&any_amount, reply).allows(Conclusion::Done) {
                Conclusion::Done
            } else {
                careful(case, reply)
            }
        }),
        ("dates, day and status of a plan do not count", "plans.create", |case, reply| {
            let any_term = Case { same: &[], if_present: &[], ..*case };
            let is_a_plan = case.operation == "plans.create";
            let done = is_a_plan && judge(&any_term, reply).allows(Conclusion::Done);
            if done { Conclusion::Done } else { careful(case, reply) }
        }),
        ("a page with a 4xx is the gateway's refusal", "plans.create", |case, reply| match reply.status {
            400 | 404 | 409 | 422 if case.expect != Expect::Read && tree(reply).is_none() => {
                Conclusion::NotDone
            }
            _ => careful(case, reply),
        }),
        ("429 is never definite, nor is a page with it", "plans.create", |case, reply| match reply.status {
            429 if case.expect != Expect::Read => Conclusion::NotDone,
            _ => careful(case, reply),
        }),
        ("a proxy's 404 is the gateway's", "plans.get", |case, reply| match (case.expect, reply.status) {
            (Expect::Read, 404) => Conclusion::Absent,
            _ => careful(case, reply),
        }),
        ("a proxy's 403 is the gateway's", "plans.get", |case, reply| match (case.expect, reply.status) {
            (Expect::Read, 401 | 403) => Conclusion::Unauthorized,
            _ => careful(case, reply),
        }),
        ("a byte order mark is no document", "plans.create", |case, reply| {
            if reply.body.starts_with(b"\xef\xbb\xbf") { Conclusion::Unknown } else { careful(case, reply) }
        }),
        ("media types are compared with case", "plans.create", |case, reply| {
            let known = reply.content_type.starts_with("application/") || reply.content_type.is_empty();
            if known { careful(case, reply) } else { Conclusion::Unknown }
        }),
        ("a member that comes twice counts once", "plans.create", |case, reply| {
            let once = tree(reply).map(|tree| Reply {
                body: without_doubles(&tree).write(Format::Json).into(),
                ..reply.clone()
            });
            once.map_or(Conclusion::Unknown, |once| careful(case, &once))
        }),
        ("a partial approval is a whole one", "transactions.sale", |case, reply| {
            match careful(case, reply) {
                Conclusion::Partial => Conclusion::Done,
                conclusion => conclusion,
            }
        }),
        ("what an update left out was changed", "plans.update", |case, reply| {
            let anything = Case { same: &[], if_present: &[], ..*case };
            let is_an_update = case.operation.ends_with(".update") && reply.status < 300;
            if is_an_update && judge(&anything, reply).allows(Conclusion::Done) {
                Conclusion::Done
            } else {
                careful(case, reply)
            }
        }),
        ("an error that names a transaction is a refusal", "transactions.sale", |case, reply| {
            let refused =
                (400..408).contains(&reply.status) && case.reply == "error" && case.expect != Expect::Read;
            let is_error = tree(reply).is_some_and(|tree| {
                tree.all("payload").iter().any(|payload| !payload.all("error").is_empty())
            });
            if refused && is_error { Conclusion::NotDone } else { careful(case, reply) }
        }),
        ("the first of several payments is the one", "payments.confirm", |case, reply| {
            unless(case, reply, |tree| {
                let payments = tree.all("payments");
                let approved =
                    payments.iter().any(|payment| text(payment, "paymentStatus") == Some("Approved"));
                (case.expect == Expect::Look && reply.status == 200 && approved).then_some(Conclusion::Done)
            })
        }),
        ("a payment that no search finds was not made", "payments.pay", |case, reply| {
            unless(case, reply, |tree| {
                let nothing = case.operation == "payments.pay"
                    && case.expect == Expect::Look
                    && tree.all("payments").is_empty();
                nothing.then_some(Conclusion::NotDone)
            })
        }),
        ("a request id that was used is a refusal", "payments.pay", |case, reply| {
            let is_used = case.reply == "duplicate" && reply.status == 402;
            if is_used { Conclusion::NotDone } else { careful(case, reply) }
        }),
        ("a page that answers for ClientPay is its refusal", "payments.pay", |case, reply| {
            match reply.status {
                400 | 402 | 404 | 409 | 422 if tree(reply).is_none() && case.expect != Expect::Read => {
                    Conclusion::NotDone
                }
                _ => careful(case, reply),
            }
        }),
        ("a mark is no document of ClientPay", "payments.pay", |case, reply| {
            if reply.body.starts_with(b"\xef\xbb\xbf") { Conclusion::Unknown } else { careful(case, reply) }
        }),
        ("another object beside it does not count", "plans.create", |case, reply| {
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
    for (name, operation, reading) in planted {
        let client = |case: &Case, reply: &Reply| with_objects(case, reply, reading(case, reply));
        assert!(caught(|case| case.operation == *operation, client).next().is_some(), "not caught: {name}");
    }
}

/// A careful client, except for the objects that it reports.
fn retelling(case: &Case, reply: &Reply, retell: impl FnOnce(&mut Claim)) -> Claim {
    let mut claim = telling(case, reply);
    retell(&mut claim);
    claim
}

/// Changes the reported value of a member wherever it occurs.
fn change(claim: &mut Claim, member: &str, change: impl Fn(&str) -> Option<String>) {
    for told in &mut claim.told {
        let Told::Object(members) = told else { continue };
        for (name, value) in members {
            if name == member
                && let Some(text) = value
            {
                *value = change(text);
            }
        }
    }
}

/// Whether a word does not occur in the reference.
fn is_new(day: &str) -> bool {
    day.parse::<u8>().is_ok_and(|day| day > 28) || day.parse::<u8>().is_err()
}

/// Holds: The oracle catches each planted client that reports an object wrongly.
#[test]
fn every_planted_telling_is_caught() {
    let planted: &[(&str, &str, Telling)] = &[
        ("digits of a card are told without the zeros that a number lost", "tokens.search", |case, reply| {
            retelling(case, reply, |claim| {
                change(claim, "last-four-digits", |digits| Some(digits.trim_start_matches('0').to_owned()));
            })
        }),
        ("an expiry that is no month is dropped", "tokens.search", |case, reply| {
            retelling(case, reply, |claim| {
                change(claim, "exp-date", |date| (date.len() == 4).then(|| date.to_owned()));
            })
        }),
        ("a day of a plan that is not foreseen is dropped", "plans.search", |case, reply| {
            retelling(case, reply, |claim| {
                change(claim, "frequency-day", |day| (!is_new(day)).then(|| day.to_owned()));
            })
        }),
        ("an amount is guessed", "plans.search", |case, reply| {
            retelling(case, reply, |claim| {
                change(claim, "payment-amount", |amount| {
                    Some(if amount == "25.001" { "25.00".to_owned() } else { amount.to_owned() })
                });
            })
        }),
        ("one record that cannot be read spoils the list", "plans.search", |case, reply| {
            let claim = telling(case, reply);
            let spoiled = claim.told.iter().any(|told| matches!(told, Told::Unreadable(_)));
            if case.list.is_some() && spoiled { Conclusion::Unusable.into() } else { claim }
        }),
        ("one payment that cannot be read spoils the search", "payments.search", |case, reply| {
            let claim = telling(case, reply);
            let spoiled = claim.told.iter().any(|told| matches!(told, Told::Unreadable(_)));
            if case.list.is_some() && spoiled { Conclusion::Unusable.into() } else { claim }
        }),
        ("a record that cannot be read is left out", "plans.search", |case, reply| {
            retelling(case, reply, |claim| claim.told.retain(|told| matches!(told, Told::Object(_))))
        }),
        ("a payment that cannot be read is left out", "payments.search", |case, reply| {
            retelling(case, reply, |claim| claim.told.retain(|told| matches!(told, Told::Object(_))))
        }),
        ("the error of a record does not name it", "plans.search", |case, reply| {
            retelling(case, reply, |claim| {
                for told in &mut claim.told {
                    if matches!(told, Told::Unreadable(_)) {
                        *told = Told::Unreadable(None);
                    }
                }
            })
        }),
        ("records of another customer are found", "plans.search", |case, reply| {
            let any = Case { same: &[], ..*case };
            with_objects(&any, reply, careful(case, reply))
        }),
        ("a list that is not whole is whole", "plans.search", |case, reply| {
            let claim = telling(case, reply);
            if claim.conclusion == Conclusion::Incomplete {
                Claim { conclusion: Conclusion::Done, ..claim }
            } else {
                claim
            }
        }),
    ];
    for (name, operation, client) in planted {
        assert!(caught(|case| case.operation == *operation, *client).next().is_some(), "not caught: {name}");
    }
}

/// A careful client, except for transactions to which this rule applies.
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
