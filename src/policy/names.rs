//! The name that was meant, for the messages of the parser and of the lint rules.

/// Returns the name nearest to `written`, if one is near enough to be meant.
pub(crate) fn nearest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let lower = written.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_ascii_lowercase());
    // Longer inputs are no misspelling, and the distance takes time of their length.
    let names = names
        .into_iter()
        .filter(|name| written.len() <= 2 * name.len());
    let near = names
        .map(|name| (distance(name), name))
        .min_by_key(|&(distance, _)| distance)?;
    (near.0 <= 1 + near.1.len() / 4).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["IpAddress", "NotIpAddress", "StringEquals"];
        assert_eq!(nearest("ipaddress", names), Some("IpAddress"));
        assert_eq!(nearest("StringEqual", names), Some("StringEquals"));
        assert_eq!(nearest("Banana", names), None);
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
    }
}
