//! Cursors of lists, opaque: the store's text in hex, so that it survives any URL and nobody
//! comes to rely on what is in it.

/// The longest opaque cursor, in characters: the hex of a member's longest name and id.
pub const OPAQUE_LEN_MAX: usize = 4096;

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this list")]
pub struct CursorError;

/// The store's cursor as callers see it.
pub fn opaque(cursor: &str) -> String {
    cursor.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The store's cursor again.
pub fn plain(opaque: &str) -> Result<String, CursorError> {
    let in_pairs = opaque.len().is_multiple_of(2) && (2..=OPAQUE_LEN_MAX).contains(&opaque.len());
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(pair.first()?)? << 4 | digit(pair.last()?)?).ok();
    let bytes: Option<Vec<u8>> = opaque.as_bytes().chunks(2).map(byte).collect();
    bytes.filter(|_| in_pairs).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(CursorError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for cursor in ["1767978000000:c1", "0", "åse\tm-1", "a b/c?d&e=f"] {
            assert_eq!(plain(&opaque(cursor)).as_deref(), Ok(cursor));
        }
    }

    #[test]
    fn what_was_never_given_out_is_no_cursor() {
        let too_long = "61".repeat(OPAQUE_LEN_MAX / 2 + 1);
        for text in ["", "6", "6g", "+6", "616", "ff", "c328", "1767978000000:c1", "å", &too_long] {
            assert_eq!(plain(text), Err(CursorError), "{text}");
        }
    }
}
