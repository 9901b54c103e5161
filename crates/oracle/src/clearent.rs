//! The conclusions that a reply of the Clearent gateway allows (reference, sections 2, 4 and 5).

use crate::records::{objects, payload, read, without_records};
use crate::{Allowed, Case, Conclusion, Expect, Format, Reply, Tree};

/// The names of objects that are the result of a write.
const EFFECTS: [&str; 7] =
    ["customer", "tokenResponse", "token", "customer-token", "payment-plan", "transaction", "batch"];

/// The members of a payload that are not objects.
const NOT_OBJECTS: [&str; 5] = ["payloadType", "@type", "error", "links", "metadata"];

pub(crate) fn judge(case: &Case, reply: &Reply) -> Allowed {
    let empty = reply.body.iter().all(u8::is_ascii_whitespace);
    if empty {
        // The only empty response that the vendor's wire format has.
        return match (case.expect, reply.status) {
            (Expect::Delete | Expect::List, 204) => Allowed::of(&[Conclusion::Done]),
            (Expect::Read, 204) => Allowed::of(&[Conclusion::Absent]),
            _ => Allowed::of(&[]),
        };
    }
    let Some((format, tree)) = read(case, &reply.body) else { return Allowed::of(&[]) };
    let around = case.list.map_or_else(|| tree.clone(), |list| without_records(&tree, list.path));
    let Some(evidence) = Evidence::of(format, &around) else { return Allowed::of(&[]) };
    let mut allowed = Vec::new();
    let http_done = (200..300).contains(&reply.status);
    let http_refused = (400..500).contains(&reply.status) && ![408, 425].contains(&reply.status);
    if http_done && case.expect == Expect::List && evidence.is_success() && evidence.is_only(case) {
        allowed.extend(of_list(case, format, &tree));
    } else if http_done && evidence.says_done(case) {
        allowed.push(Conclusion::Done);
    }
    if http_done && case.expect == Expect::Charge && evidence.is_partial(case) {
        allowed.push(Conclusion::Partial);
    }
    let refused = evidence.says_refused() && (http_refused || http_done);
    if refused && case.expect == Expect::Charge && evidence.is_declined(case) {
        allowed.push(Conclusion::Declined);
    }
    if refused && evidence.effects == 0 {
        match case.expect {
            Expect::List if !objects(case, format, &tree).is_empty() => {}
            Expect::Read | Expect::List => {
                if evidence.status_is(reply.status, &[404, 410]) {
                    allowed.push(Conclusion::Absent);
                }
                if evidence.status_is(reply.status, &[401, 403]) {
                    allowed.push(Conclusion::Unauthorized);
                }
            }
            _ if evidence.names_an_effect => {}
            _ => allowed.push(Conclusion::NotDone),
        }
    }
    Allowed(allowed)
}

/// The conclusions from a readable list: it is complete, or has fewer records than its stated total.
fn of_list(case: &Case, format: Format, tree: &Tree) -> Vec<Conclusion> {
    let Some(list) = case.list else { return Vec::new() };
    let payload = payload(tree);
    let total =
        tree.all("page").first().and_then(|page| page.scalar("total-elements").ok().flatten()?.parse().ok());
    let kind = [payload.scalar("payloadType"), payload.scalar("@type")];
    let is_named = kind.iter().any(|kind| kind.is_ok_and(|kind| kind == list.path.first().copied()));
    match payload.all(list.path[0])[..] {
        // An empty list may be omitted.
        [] if !is_named && total != Some(0) => return Vec::new(),
        [] | [Tree::Members(_)] => {}
        [other] if !filled(other) && (is_named || total == Some(0)) => {}
        _ => return Vec::new(),
    }
    let mut keys: Vec<_> = objects(case, format, tree)
        .into_iter()
        .map(|record| record.scalar(list.key).ok().flatten())
        .collect();
    let unnamed = keys.iter().filter(|key| key.is_none()).count();
    keys.retain(Option::is_some);
    keys.sort_unstable();
    keys.dedup();
    let is_whole = total.is_none_or(|total: usize| total <= keys.len() + unnamed);
    if is_whole { vec![Conclusion::Done, Conclusion::Incomplete] } else { vec![Conclusion::Incomplete] }
}

/// The evidence in a readable envelope.
struct Evidence<'a> {
    code: Option<u16>,
    word: Option<String>,
    /// Whether there is an error that is not empty.
    error: bool,
    /// The objects of the payload with their names.
    objects: Vec<(&'a str, &'a Tree)>,
    /// The number of objects that are the result of a write.
    effects: usize,
    /// Whether an error or a link names the result of a write, or the error's code is the code of an approval.
    names_an_effect: bool,
}

impl<'a> Evidence<'a> {
    /// `None` if the document is not an envelope, or contradicts itself by a repeated member.
    fn of(format: Format, tree: &'a Tree) -> Option<Self> {
        if tree.has_doubles(format) {
            return None;
        }
        let code = tree.scalar("code").ok()?;
        let word = tree.scalar("status").ok()?;
        let exchange = tree.scalar("exchange-id").ok()?;
        // A code that is not a number does not count.
        let number = match code {
            Some(code) => Some(code.parse::<u16>().ok()?),
            None => None,
        };
        if code.is_none() && word.is_none() && exchange.is_none() {
            return None;
        }
        let payload = match tree.all("payload")[..] {
            // Observed on the live gateway: the object next to its `payloadType`, without the payload around them.
            [] => tree,
            [payload] if !filled(payload) => tree,
            [payload @ Tree::Members(_)] => payload,
            _ => return None,
        };
        let error = payload.all("error").into_iter().any(filled);
        let envelope = ["code", "status", "exchange-id", "page", "signature", "payload"];
        let mut objects = Vec::new();
        for (name, value) in payload.members() {
            if NOT_OBJECTS.contains(&name.as_str()) || envelope.contains(&name.as_str()) || !filled(value) {
                continue;
            }
            match value {
                Tree::List(items) => objects.extend(items.iter().map(|item| (name.as_str(), item))),
                value => objects.push((name.as_str(), value)),
            }
        }
        let is_effect = |(name, object): &&(&str, &Tree)| {
            let declined = *name == "transaction" && verdict(object) == Some(false);
            EFFECTS.contains(name) && !declined
        };
        let effects = objects.iter().filter(is_effect).count();
        let word = word.map(str::to_ascii_lowercase);
        let errors = payload.all("error");
        let is_id = |(name, value): &(String, Tree)| {
            let names = name == "id" || name.ends_with("-id") || name.ends_with("-key");
            let zeros = |text: &str| text.bytes().all(|digit| digit == b'0');
            let approves = name == "result-code" && matches!(value, Tree::Text(code) if zeros(code.trim()));
            (names || approves) && filled(value)
        };
        // The link of a declined transaction does not name a result.
        let is_declined = |id: &str| {
            let own = |(_, made): &(&str, &Tree)| {
                made.scalar("id").is_ok_and(|own| own.is_none_or(|own| own == id))
            };
            objects.iter().any(|made| made.0 == "transaction" && verdict(made.1) == Some(false) && own(made))
        };
        let is_of_charge = |link: &&Tree| {
            link.scalar("rel").is_ok_and(|rel| rel == Some("transaction"))
                && link.scalar("id").is_ok_and(|id| id.is_some_and(|id| !is_declined(id)))
        };
        let names_an_effect = errors.iter().any(|error| error.members().iter().any(is_id))
            || tree.all("links").iter().any(is_of_charge);
        Some(Self { code: number, word, error, objects, effects, names_an_effect })
    }

    /// Whether the payload contains nothing but the requested list; unknown members in that list are ignored.
    fn is_only(&self, case: &Case) -> bool {
        self.objects.iter().all(|(name, _)| case.list.is_some_and(|list| list.path.first() == Some(name)))
    }

    /// Whether no member of the envelope denies success.
    fn is_success(&self) -> bool {
        let code = self.code.is_none_or(|code| (200..300).contains(&code));
        let word = self.word.as_deref().is_none_or(|word| word == "success");
        code && word && !self.error
    }

    /// Whether the envelope says that the call failed, and no member contradicts that.
    fn says_refused(&self) -> bool {
        let code = self.code.is_none_or(|code| (400..500).contains(&code) && ![408, 425].contains(&code));
        let word = self.word.as_deref().is_none_or(|word| word == "fail");
        let says_so = self.code.is_some() || self.word.is_some();
        code && word && says_so
    }

    fn status_is(&self, http: u16, statuses: &[u16]) -> bool {
        let status = self.code.filter(|_| (200..300).contains(&http)).unwrap_or(http);
        statuses.contains(&status)
    }

    /// The requested object, if it is the only one.
    fn object(&self, case: &Case) -> Option<&'a Tree> {
        match self.objects[..] {
            [(name, object)] if case.objects.contains(&name) => Some(object),
            // A charge can also create a token.
            [(one, first), (other, second)] if case.objects == ["transaction"] => match (one, other) {
                ("transaction", "tokenResponse" | "token") => Some(first),
                ("tokenResponse" | "token", "transaction") => Some(second),
                _ => None,
            },
            _ => None,
        }
    }

    fn says_done(&self, case: &Case) -> bool {
        // A response to a delete need not repeat the object.
        let says_so = self.code.is_some() || self.word.is_some();
        let nothing = self.objects.iter().all(|(name, _)| !EFFECTS.contains(name));
        if case.expect == Expect::Delete && nothing && says_so {
            return self.is_success();
        }
        let Some(object) = self.object(case).filter(|_| self.is_success()) else { return false };
        let is_charge = case.expect == Expect::Charge && case.objects == ["transaction"];
        let approved = !is_charge || verdict(object) == Some(true);
        approved && as_asked(case, object, &[])
    }

    /// Whether this is an approval for a smaller amount that is marked as partial.
    fn is_partial(&self, case: &Case) -> bool {
        let Some(object) = self.object(case).filter(|_| self.is_success()) else { return false };
        let asked = case.same.iter().find(|(member, _)| *member == "amount").map(|(_, asked)| *asked);
        let original = object.scalar("original-amount").ok().flatten();
        let less = match (object.scalar("amount").ok().flatten().and_then(cents), asked.and_then(cents)) {
            (Some(taken), Some(asked)) => taken < asked,
            _ => false,
        };
        // The mark is the flag or, if it is missing, the original amount.
        let flag = object.scalar("partial-approved");
        let says_so = flag.is_ok_and(|flag| flag == Some("true") || flag.is_none() && original.is_some());
        let original_fits = original.and_then(cents) == asked.and_then(cents) || original.is_none();
        verdict(object) == Some(true)
            && less
            && says_so
            && original_fits
            && as_asked(case, object, &["amount"])
    }

    fn is_declined(&self, case: &Case) -> bool {
        let [("transaction", object)] = self.objects[..] else { return false };
        let amount = case.same.iter().all(|(member, asked)| {
            let said = object.scalar(member);
            said.is_ok_and(|said| said.is_none_or(|said| equal(member, asked, said)))
        });
        let fits = case.if_present.iter().all(|(member, asked)| {
            object.scalar(member).is_ok_and(|said| said.is_none_or(|said| equal(member, asked, said)))
        });
        verdict(object) == Some(false) && amount && fits
    }
}

/// Whether the object is the requested one, apart from the members that are judged separately.
fn as_asked(case: &Case, object: &Tree, apart: &[&str]) -> bool {
    let counted = |member: &&(&str, &str)| !apart.contains(&member.0);
    let present = case.present.iter().all(|member| object.scalar(member).is_ok_and(|said| said.is_some()));
    let same = case.same.iter().filter(counted).all(|(member, asked)| {
        object.scalar(member).is_ok_and(|said| said.is_some_and(|said| equal(member, asked, said)))
    });
    let fits = case.if_present.iter().filter(counted).all(|(member, asked)| {
        object.scalar(member).is_ok_and(|said| said.is_none_or(|said| equal(member, asked, said)))
    });
    present && same && fits
}

/// Whether a value is not empty.
fn filled(value: &Tree) -> bool {
    match value {
        Tree::Text(text) => !text.trim().is_empty(),
        Tree::Bare(bare) => bare != "null",
        Tree::List(items) => items.iter().any(filled),
        Tree::Members(members) => members.iter().any(|(name, value)| name != "@type" && filled(value)),
    }
}

/// Whether a transaction is approved (`true`) or declined (`false`); `None` if its members are inconclusive or
/// contradict each other.
fn verdict(transaction: &Tree) -> Option<bool> {
    let (Ok(result), Ok(code)) = (transaction.scalar("result"), transaction.scalar("result-code")) else {
        return None;
    };
    let zeros = match code {
        Some(code) if code.bytes().all(|digit| digit.is_ascii_digit()) && code.len() <= 3 => {
            // 036 is also listed with HTTP 200.
            Some(matches!(code.parse::<u16>(), Ok(0 | 36)))
        }
        Some(_) => return None,
        None => None,
    };
    match (result.map(str::to_ascii_uppercase).as_deref(), zeros) {
        (Some("APPROVED"), None | Some(true)) => Some(true),
        (Some("DECLINED" | "ERROR"), None | Some(false)) | (None, Some(false)) => Some(false),
        _ => None,
    }
}

/// Whether two values of a member are equal, in any notation.
fn equal(member: &str, asked: &str, said: &str) -> bool {
    let asked_cents = member.contains("amount").then(|| cents(asked)).flatten();
    match asked_cents {
        Some(_) => cents(said) == asked_cents,
        // A number has lost its leading zeros.
        None if ["exp-date", "last-four", "last-four-digits"].contains(&member) => {
            format!("{said:0>4}") == asked
        }
        None if member == "status"
            || member == "type"
            || member.ends_with("-name")
            || member == "frequency" =>
        {
            said.eq_ignore_ascii_case(asked) || said.eq_ignore_ascii_case("CANCELLED") && asked == "CANCELED"
        }
        None => said == asked,
    }
}

/// An amount in cents.
pub(crate) fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "00"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 2 {
        return None;
    }
    Some(sign * (whole.parse::<i64>().ok()?.checked_mul(100)? + format!("{part:0<2}").parse::<i64>().ok()?))
}
