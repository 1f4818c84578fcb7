//! Numbers on a command line, with words for those that are none.

/// A parser of whole numbers from `least` to `most`, or to the greatest of the type.
pub fn whole<T: TryFrom<u64>>(
    least: u64,
    most: impl Into<Option<u64>>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    let most = most.into();
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most.unwrap_or(u64::MAX)).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match most {
            Some(most) => format!("a whole number from {least} to {most} is wanted"),
            None => format!("a whole number from {least} on is wanted"),
        })
    }
}
