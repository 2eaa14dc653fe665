//! Randomness from a seed, the same on every replay.

/// SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014); the constants of
/// <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Any seed is as good as any other.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 even bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to `limit`, both included, evenly.
    pub fn up_to(&mut self, limit: u64) -> u64 {
        let scaled = u128::from(self.bits()) * (u128::from(limit) + 1);
        (scaled >> 64) as u64
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | 0b10 << 62;
        let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        format!("{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix64;

    #[test]
    fn it_is_splitmix64() {
        let mut random = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn uuids_have_their_form() {
        let uuid = SplitMix64::new(3).uuid();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!("89ab".contains(char::from(uuid.as_bytes()[19])));
    }

    #[test]
    fn limits_are_kept_and_reached() {
        let mut random = SplitMix64::new(7);
        let drawn: Vec<u64> = (0..200).map(|_| random.up_to(3)).collect();
        assert!((0..=3).all(|wanted| drawn.contains(&wanted)) && drawn.iter().all(|number| *number <= 3));
        assert_eq!(random.up_to(0), 0);
    }
}
