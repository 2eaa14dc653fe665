/// What a text is by the grammar of JSON's numbers (RFC 8259, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    Integer,
    Decimal,
    None,
}

pub(crate) fn grammar(text: &[u8]) -> Grammar {
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return Grammar::None;
    }
    if rest.is_empty() {
        return Grammar::Integer;
    }
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(rest) => match digits(rest) {
            ([], _) => return Grammar::None,
            (_, rest) => rest,
        },
    };
    match rest {
        [] => Grammar::Decimal,
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => match digits(rest) {
            ([], _) => Grammar::None,
            (_, []) => Grammar::Decimal,
            _ => Grammar::None,
        },
        _ => Grammar::None,
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::{Grammar, grammar};

    #[test]
    fn only_numbers_of_json_are_numbers() {
        for text in ["0", "-0", "12345678901234567890123"] {
            assert_eq!(grammar(text.as_bytes()), Grammar::Integer, "{text}");
        }
        for text in ["0.0", "-1.50", "1e5", "1E+3", "0E-8", "9.9e-400", "1e05"] {
            assert_eq!(grammar(text.as_bytes()), Grammar::Decimal, "{text}");
        }
        for text in
            ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1_0", " 1", "1 ", "NaN", "0x1", "1e5.0", "١"]
        {
            assert_eq!(grammar(text.as_bytes()), Grammar::None, "{text}");
        }
    }
}
