//! "Did you mean": the known name nearest to one that was written.

use strsim::damerau_levenshtein;

/// The candidate that differs by case or by at most a third of its letters, the nearest first.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer name is no typing error, and the comparison is quadratic.
    const LONGEST: usize = 200;
    // Among more names than anybody writes by hand only the first are looked at.
    const MOST: usize = 1_000;
    if written.len() > LONGEST {
        return None;
    }
    let lower = written.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .take(MOST)
        .map(|candidate| (damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_nearest_name_and_nothing_far_away() {
        let names = ["Next", "End", "Resource", "ResultPath", "ResultSelector"];
        assert_eq!(nearest("next", names), Some("Next"));
        assert_eq!(nearest("Resuorce", names), Some("Resource"));
        assert_eq!(nearest("ResultsPath", names), Some("ResultPath"));
        assert_eq!(nearest("Timeout", names), None);
        assert_eq!(nearest(&"x".repeat(1000), names), None);
    }
}
