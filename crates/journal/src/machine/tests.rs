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

fn look_at(ids: &[&str], gateway: i64) -> Event {
    let found = ids.iter().map(|id| Seen { object: object(id), verdict: Verdict::Done }).collect();
    Event::Looked(Look::Seen { at: Some(at(gateway)), control: true, found })
}

fn lost() -> Event {
    Event::Answered(Answer { said: Said::Unknown("lost".into()), exchange_id: None })
}

/// Holds: An update whose response is lost is done only when it cannot arrive any more, because its values may have been there before; a cancellation and a deletion are done at once.
#[test]
fn an_update_that_is_there_may_still_arrive() {
    let update = |is_stop| {
        let (created, rules) = (sending(Write::UpdatePlan), Rules::default());
        step(&Intent { is_stop, ..created }, lost(), at(1), &rules).intent
    };
    let delete = step(&sending(Write::DeletePlan), lost(), at(1), &Rules::default()).intent;
    let rules = Rules::default();
    for (intent, state) in
        [(update(false), State::Unknown), (update(true), State::Done), (delete, State::Done)]
    {
        let early = step(&intent, look_at(&["p1"], 2), at(2), &rules).intent;
        assert_eq!(early.state, state, "{} {}", intent.write, intent.is_stop);
        let late = step(&early, look_at(&["p1"], 200), at(200), &rules).intent;
        assert_eq!(late.state, State::Done);
    }
}

/// Holds: A value that is there before the first attempt is sent nevertheless, in the lane of its object.
#[test]
fn an_update_is_sent_even_if_its_values_are_there() {
    let rules = Rules::default();
    let planned = Intent { state: State::Planned, history: History::default(), ..sending(Write::UpdatePlan) };
    let looked = step(&planned, look_at(&["p1"], 2), at(2), &rules).intent;
    assert_eq!((looked.state, looked.history.looked_first), (State::Planned, true));
    let turned = step(&looked, Event::Turn { is_fresh: false, has_card: false }, at(3), &rules);
    assert_eq!(turned.commands, [Command::Send]);
}

/// Holds: A clock that was slow when an attempt was sent, and is right at the look, does not end the window before its time.
#[test]
fn a_window_is_measured_by_the_gateways_clock() {
    let rules = Rules::default();
    // Sent at second 0 by a clock that is four minutes slow.
    let unknown = step(&sending(Write::Sale), lost(), at(1), &rules).intent;
    let (mut intent, mut states) = (unknown, Vec::new());
    for second in [241, 300, 430, 440] {
        intent = step(&intent, look_at(&[], second), at(second), &rules).intent;
        states.push(intent.state);
    }
    assert_eq!(states, [State::Unknown, State::Unknown, State::Unknown, State::NeedsPerson]);
}

/// Holds: In a restored database, an attempt that it knows is not judged by a look while one that it does not know may still arrive, although the clock of this machine jumped over the quiet period.
#[test]
fn attempts_that_are_not_known_may_still_arrive() {
    let rules = Rules::default();
    for (write, ids, then) in [
        (Write::UpdateToken, &[][..], State::Planned),
        (Write::UpdateToken, &["t1"][..], State::Done),
        (Write::CreateCustomer, &[][..], State::Planned),
        (Write::Sale, &[][..], State::NeedsPerson),
    ] {
        let mut intent = step(&sending(write), lost(), at(1), &rules).intent;
        // The window of the attempt is over at second 300, and the quiet period at second 400.
        intent.history.restored = Some(at(400));
        let mut states = Vec::new();
        for (gateway, now) in [(1, 1), (300, 300), (301, 500), (399, 600), (500, 600)] {
            intent = step(&intent, look_at(ids, gateway), at(now), &rules).intent;
            states.push(intent.state);
        }
        let unknown = State::Unknown;
        assert_eq!(states, [unknown, unknown, unknown, unknown, then], "{write} {ids:?}");
    }
}

/// Holds: What the gateway reported is read back to the letter, and a JSON object is stored without escapes.
#[test]
fn a_reported_object_is_kept_to_the_letter() {
    for (text, stored) in [
        (r#"{"id":"1"}"#, r#"{"id":"1"}"#),
        (r#"{ "a" : [1.50, "\u00e9"] }"#, r#"{ "a" : [1.50, "\u00e9"] }"#),
        (r#"{"id":1} "#, r#""{\"id\":1} ""#),
        ("{", r#""{""#),
        ("[1]", r#""[1]""#),
        ("null", r#""null""#),
        ("", r#""""#),
    ] {
        let outcome = Outcome::new(How::Sent, None, Some(text.to_owned()));
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(json, format!(r#"{{"value":{stored}}}"#));
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
    }
}

/// Holds: An outcome that does not name the way in which it became known is known by the response.
#[test]
fn an_outcome_without_a_way_was_sent() {
    for (json, how) in [
        ("{}", How::Sent),
        (r#"{"how":null}"#, How::Sent),
        (r#"{"how":"sent"}"#, How::Sent),
        (r#"{"how":"adopted"}"#, How::Adopted),
    ] {
        assert_eq!(serde_json::from_str::<Outcome>(json).unwrap(), Outcome::new(how, None, None), "{json}");
    }
}
