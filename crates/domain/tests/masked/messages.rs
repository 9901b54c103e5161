// Messages with secrets, for each user of `perennial_domain::mask::Members`, which includes this file in its tests.

/// Messages, and how they are masked: `#` is the mask of the user.
const MASKED: &[(&str, &str)] = &[
    (r#"{"csc":"987","amount":"1.00"}"#, r##"{"csc":"#","amount":"1.00"}"##),
    (r#"{"csc":987,"b":[true,null,-2.5e3]}"#, r##"{"csc":"#","b":[true,null,-2.5e3]}"##),
    (r#"{"csc":true,"apiKey":null,"CSC":""}"#, r##"{"csc":"#","apiKey":null,"CSC":""}"##),
    (r#"{"c\u0073c":"\u0039","a":"\"csc\":1\\"}"#, r##"{"c\u0073c":"#","a":"\"csc\":1\\"}"##),
    (r#"{"csc":{"b":["9",[9,{"c":"9"}]]},"b":"9"}"#, r##"{"csc":{"b":["#",["#",{"c":"#"}]]},"b":"9"}"##),
    (r#"{"card":{"csc":"9","holder":["Ada"]},"b":9}"#, r##"{"card":{"csc":"#","holder":["#"]},"b":9}"##),
    (r#"{"csc":[],"a":["9"],"csc":{},"b":"9"}"#, r#"{"csc":[],"a":["9"],"csc":{},"b":"9"}"#),
    (r#"{"x:csc":"9","account_pin":"9","csc:x":"9"}"#, r##"{"x:csc":"#","account_pin":"#","csc:x":"9"}"##),
    (r#"{"a":"4111 1111\n1111 \u0031111"}"#, r#"{"a":"**** ****\n**** 1111"}"#),
    (r#"{"order-id":"4111\t11111111\u00a01111"}"#, "{\"order-id\":\"****\\t********\u{a0}1111\"}"),
    (r#"{"4111111111111111":"1"}"#, r#"{"************1111":"1"}"#),
    (r#"[{"csc":"987"},"987"]"#, r##"[{"csc":"#"},"987"]"##),
    ("<a><csc>987</csc><b>987</b></a>", "<a><csc>#</csc><b>987</b></a>"),
    ("<a><x:csc>987</x:csc><csc/><csc></csc></a>", "<a><x:csc>#</x:csc><csc/><csc></csc></a>"),
    ("<a><csc><![CDATA[9]]>8<!-- 7 -->7</csc></a>", "<a><csc>#</csc></a>"),
    ("<a><csc><b>987</b><c>987</c></csc><b>9</b></a>", "<a><csc><b>#</b><c>#</c></csc><b>9</b></a>"),
    ("<card><number>41</number>\n<csc>9</csc></card>", "<card><number>#</number>\n<csc>#</csc></card>"),
    ("<a>41111111<!-- -->1111<![CDATA[1111]]></a>", "<a>************1111</a>"),
    ("<a><id>4111&#49;11&#x31;11111111</id></a>", "<a><id>************1111</id></a>"),
    ("<?xml version='1.0'?><a>1 &lt; 2 &amp;lt;</a>", "<a>1 &lt; 2 &amp;lt;</a>"),
    ("<a><!-- csc 987 --><b>1</b><?csc 987?></a>", "<a><b>1</b></a>"),
];

/// A value, with numbers that choose its spelling.
#[derive(Clone, Debug)]
enum Node {
    Leaf(usize),
    Branch(usize, Vec<(usize, Node)>),
}

fn node() -> impl Strategy<Value = Node> {
    (0..60_usize).prop_map(Node::Leaf).prop_recursive(5, 40, 5, |inner| {
        (0..60_usize, prop::collection::vec((0..60_usize, inner), 0..5))
            .prop_map(|(way, children)| Node::Branch(way, children))
    })
}

/// A random message in JSON or XML, and its card numbers as they are written in it. Its other secrets are made of the
/// letter `W`, which is nothing else.
fn message() -> impl Strategy<Value = (String, Vec<String>)> {
    (node(), any::<bool>()).prop_map(|(node, is_json)| {
        let (mut text, mut cards) = (String::new(), Vec::new());
        if is_json {
            let root = Node::Branch(1, vec![(20, node)]);
            write_json(&root, false, &mut text, &mut cards);
        } else {
            write_xml("response", &node, false, &mut text, &mut cards);
        }
        (text, cards)
    })
}

fn write_json(node: &Node, is_secret: bool, text: &mut String, cards: &mut Vec<String>) {
    let secrets = [r#""WWW""#, r#""\u0057\u0057""#, r#""W\"W\\W""#, "WWW", r#""W \u0057""#];
    let numbers = [
        r#""4111111111111111""#,
        "4111111111111111",
        r#""4111\u00311111111 1111""#,
        r#""4111\n11111111-1111""#,
    ];
    let names = ["csc", "x:csc", r"c\u0073c", "apiKey", "card-number", "Card"];
    match node {
        Node::Leaf(way) if is_secret => text.push_str(secrets[way % secrets.len()]),
        Node::Leaf(way) if way % 3 == 0 => {
            text.push_str(numbers[way % numbers.len()]);
            cards.push(numbers[way % numbers.len()].trim_matches('"').to_owned());
        }
        Node::Leaf(way) => text.push_str(["null", "1.5", r#""a\\""#, "true", r#""a \"csc\": ""#][way % 5]),
        Node::Branch(way, children) => {
            let is_object = way % 2 == 1;
            text.push(if is_object { '{' } else { '[' });
            for (index, (way, child)) in children.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { [",", " ,\n"][way % 2] });
                let secret_name = names.get(way % 12).filter(|_| is_object);
                if is_object {
                    let name = secret_name.unwrap_or(&["id", "a", "order-id"][way % 3]);
                    text.extend(["\"", name, "\" :"]);
                }
                write_json(child, is_secret || secret_name.is_some(), text, cards);
            }
            text.push(if is_object { '}' } else { ']' });
        }
    }
}

fn write_xml(name: &str, node: &Node, is_secret: bool, text: &mut String, cards: &mut Vec<String>) {
    let secrets = ["WWW", "&#87;W", "<![CDATA[W<W]]>", "W<!-- -->W", "W<?a W?>&#x57;"];
    let numbers = ["4111111111111111", "4111&#49;1111111 1111", "4111<!-- -->11111111<![CDATA[1111]]>"];
    let names = ["csc", "x:csc", "csc", "apiKey", "card-number", "Card"];
    let attributes = ["", " csc='WW'", " x:csc = \"&#87;\"", " a='1'"];
    let way = match node {
        Node::Leaf(way) | Node::Branch(way, _) => *way,
    };
    text.extend(["<", name, attributes[way % attributes.len()], ">"]);
    match node {
        Node::Leaf(way) if is_secret => text.push_str(secrets[way % secrets.len()]),
        Node::Leaf(way) if way % 3 == 0 => {
            text.push_str(numbers[way % numbers.len()]);
            cards.push(numbers[way % numbers.len()].to_owned());
        }
        Node::Leaf(way) => text.push_str(["", "1.5", "a &amp; b"][way % 3]),
        Node::Branch(_, children) => {
            for (way, child) in children {
                text.push_str(["", "\n", "<!-- WW -->"][way % 3]);
                let secret_name = names.get(way % 12);
                let name = secret_name.unwrap_or(&["id", "a", "order-id"][way % 3]);
                write_xml(name, child, is_secret || secret_name.is_some(), text, cards);
            }
        }
    }
    text.extend(["</", name, ">"]);
}

/// The start of a text, cut at any of its characters.
fn cut(text: &str, at: usize) -> &str {
    let ends: Vec<usize> = text.char_indices().map(|(end, _)| end).chain([text.len()]).collect();
    &text[..ends[at % ends.len()]]
}

/// Whether a masked text contains a secret of a [`message`], in any spelling.
fn shows_a_secret(masked: &str, cards: &[String]) -> bool {
    ["W", "0057", "&#87", "&#x57"].iter().any(|secret| masked.contains(secret))
        || cards.iter().any(|card| masked.contains(card))
}
