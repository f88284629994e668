/// The smallest text that is greater than every text that begins with `prefix`, by code points,
/// which is the order of `COLLATE "C"` in UTF-8. None if there is no such text.
pub(crate) fn upper_bound(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = successor(last) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// The next code point that a text may hold; the surrogates may not stand in one.
fn successor(last: char) -> Option<char> {
    match last {
        '\u{d7ff}' => Some('\u{e000}'),
        _ => u32::from(last).checked_add(1).and_then(char::from_u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_right_at_every_edge() {
        for (prefix, bound) in [
            ("a", Some("b")),
            ("a%", Some("a&")),
            ("a\\", Some("a]")),
            ("a\u{7f}", Some("a\u{80}")),
            ("\u{7ff}", Some("\u{800}")),
            ("x\u{d7ff}", Some("x\u{e000}")),
            ("\u{ffff}", Some("\u{10000}")),
            ("a\u{10ffff}", Some("b")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(upper_bound(prefix).as_deref(), bound, "{prefix:?}");
        }
    }
}
