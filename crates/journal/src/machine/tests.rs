use super::*;

fn at(seconds: i64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

/// An intent whose first attempt is on its way.
fn sending(write: Write) -> Intent {
    let intent = Intent {
        uid: "u".into(),
        tenant: "t".into(),
        key: "k".into(),
        write,
        object: "new/m".into(),
        request: "{}".into(),
        fingerprint: String::new(),
        mark: "m".into(),
        is_stop: false,
        needs_card: false,
        activates: write.is_two_phase(),
        precondition: None,
        send_before: at(10_000),
        state: State::Planned,
        fence: 1,
        lease_until: None,
        next: Some(at(0)),
        history: History::default(),
        outcome: None,
        created: at(0),
    };
    let stepped = step(&intent, Event::Turn { is_fresh: true, has_card: false }, at(0), &Rules::default());
    assert_eq!(stepped.commands, [Command::Send]);
    stepped.intent
}

fn object(id: &str) -> Object {
    Object { id: Some(id.into()), value: None }
}

fn seen(ids: &[&str]) -> Look {
    let found = ids.iter().map(|id| Seen { object: object(id), verdict: Verdict::Done }).collect();
    Look::Seen { at: Some(at(5)), control: true, found }
}

/// Holds: A plan is activated only after a look that lists all plans with its mark: the oldest is activated, and the others are canceled.
#[test]
fn a_plan_is_activated_only_after_a_look_at_all_with_its_mark() {
    let rules = Rules::default();
    let answer = Answer { said: Said::Done(object("p2")), exchange_id: None };
    let answered = step(&sending(Write::CreatePlan), Event::Answered(answer), at(1), &rules);
    assert_eq!((answered.intent.state, &answered.commands[..]), (State::Unknown, &[Command::Look][..]));

    let lacks_it = step(&answered.intent, Event::Looked(seen(&["p1"])), at(5), &rules);
    assert_eq!((lacks_it.intent.state, lacks_it.commands.len()), (State::Unknown, 0), "the list lags");
    let whole = step(&answered.intent, Event::Looked(seen(&["p1", "p2"])), at(5), &rules);
    assert_eq!(whole.intent.state, State::Done);
    assert_eq!(whole.commands, [Command::CancelSpare("p2".into()), Command::Activate("p1".into())]);
    assert_eq!(whole.intent.outcome.map(|outcome| outcome.id), Some(Some("p1".into())));
}

#[test]
fn several_charges_need_a_person() {
    let lost = Answer { said: Said::Unknown("lost".into()), exchange_id: None };
    let lost = step(&sending(Write::Sale), Event::Answered(lost), at(1), &Rules::default());
    let several = step(&lost.intent, Event::Looked(seen(&["1", "2"])), at(5), &Rules::default());
    assert_eq!((several.intent.state, several.commands.len()), (State::NeedsPerson, 0));
    assert_eq!(several.intent.history.spares, ["1", "2"]);
}

#[test]
fn a_plan_that_a_person_found_is_activated() {
    let found = Decision::Done(object("p1"));
    let waits = Intent { state: State::NeedsPerson, ..sending(Write::CreatePlan) };
    let decided = step(&waits, Event::Decide(found.clone()), at(9), &Rules::default());
    assert_eq!((decided.intent.state, decided.commands), (State::Done, vec![Command::Activate("p1".into())]));
    let suspended = Intent { activates: false, ..waits };
    assert!(step(&suspended, Event::Decide(found), at(9), &Rules::default()).commands.is_empty());
}
