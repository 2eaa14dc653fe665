//! How much memory each domain of this process takes.

use crate::assignment::Assignment;
use crate::message::DomainSize;

/// Anonymous private memory, by the key that it carries. Empty where domains carry no keys.
pub(crate) fn of_domains(assignment: &Assignment) -> Vec<DomainSize> {
    if !assignment.uses_keys() {
        return Vec::new();
    }
    let by_key =
        std::fs::read_to_string("/proc/self/smaps").map(|maps| anonymous_by_key(&maps)).unwrap_or_default();
    // The trusted threads have the first key that the kernel gave, the domains the next ones in order.
    let first = 2;
    let local = assignment.local_domains().into_iter().enumerate();
    local
        .filter_map(|(position, domain)| Some(DomainSize { domain, bytes: *by_key.get(first + position)? }))
        .collect()
}

/// Bytes by key, from the text of `/proc/self/smaps`.
fn anonymous_by_key(smaps: &str) -> [u64; 16] {
    let mut bytes = [0; 16];
    let mut anonymous = 0;
    for line in smaps.lines() {
        let mut fields = line.split_ascii_whitespace();
        match (fields.next(), fields.next().and_then(|value| value.parse::<u64>().ok())) {
            (Some("Anonymous:"), Some(kib)) => anonymous = kib * 1024,
            (Some("ProtectionKey:"), Some(key)) => {
                if let Some(sum) = bytes.get_mut(key as usize) {
                    *sum += anonymous;
                }
            }
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds_up_the_mappings_of_each_key() {
        let smaps = "1000-2000 rw-p 0 0:0 0\nAnonymous:  4 kB\nProtectionKey: 3\n\
                     2000-9000 rw-p 0 0:0 0\nAnonymous:  8 kB\nProtectionKey: 3\n\
                     9000-a000 rw-p 0 0:0 0\nAnonymous: 16 kB\nProtectionKey: 0\n";
        let bytes = super::anonymous_by_key(smaps);
        assert_eq!((bytes[0], bytes[3]), (16 << 10, 12 << 10));
    }
}
