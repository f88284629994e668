//! Languages of tracks.

/// Macintosh language codes in order (QuickTime File Format, language code values).
const MACINTOSH: [&str; 24] = [
    "eng", "fra", "ger", "ita", "dut", "swe", "spa", "dan", "por", "nor", "heb", "jpn", "ara",
    "fin", "gre", "ice", "mlt", "tur", "hrv", "chi", "urd", "hin", "tha", "kor",
];

/// The language of a media header: three letters in five bits each, or QuickTime's older numbers.
pub(super) fn of(code: u16) -> Option<String> {
    if code < 0x400 {
        return MACINTOSH
            .get(usize::from(code))
            .map(|&name| name.to_owned());
    }
    let letter = |shift: u16| char::from(u8::try_from((code >> shift & 0x1f) + 0x60).unwrap_or(0));
    let name: String = [10, 5, 0].map(letter).iter().collect();
    (name.bytes().all(|b| b.is_ascii_lowercase()) && name != "und").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn languages_are_packed_letters_or_macintosh_numbers() {
        assert_eq!(of(0x15c7).as_deref(), Some("eng"));
        assert_eq!(of(22).as_deref(), Some("tha"));
        assert_eq!(of(0x55c4), None, "undetermined");
        assert_eq!(of(0x7fff), None, "unspecified");
        assert_eq!(of(0x3ff), None);
    }
}
