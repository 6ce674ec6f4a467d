//! How long operations took: counts in buckets of 1.6 %, from a microsecond to hours.

use std::time::Duration;

/// Below this many microseconds each value has its own bucket; above, 64 buckets an octave.
const EXACT: u64 = 128;

#[derive(Clone, Debug, Default)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest_us: u64,
}

impl Histogram {
    pub fn record(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket_of(us);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.longest_us = self.longest_us.max(us);
    }

    pub fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.longest_us = self.longest_us.max(other.longest_us);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time that the share `part` (0.99) of all operations did not exceed; zero when empty.
    pub fn at(&self, part: f64) -> Duration {
        let rank = ((self.count as f64 * part).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper_bound(bucket).min(self.longest_us));
            }
        }
        Duration::from_micros(self.longest_us)
    }
}

fn bucket_of(us: u64) -> usize {
    if us < EXACT {
        return us as usize;
    }
    let shift = us.ilog2() - 6;
    (EXACT + u64::from(shift - 1) * 64 + ((us >> shift) - 64)) as usize
}

/// The largest value, in microseconds, that falls into the bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let shift = (bucket - EXACT) / 64 + 1;
    let base = (bucket - EXACT) % 64 + 64;
    ((base + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_it_says() {
        for us in [0, 1, 127, 128, 129, 255, 256, 1000, 65_535, 1 << 40] {
            let upper = upper_bound(bucket_of(us));
            assert!(upper >= us && upper - us <= us / 64, "{us} went to the bucket of {upper}");
        }
    }

    #[test]
    fn percentiles_are_taken_by_rank() {
        let mut histogram = Histogram::default();
        for us in 1..=100 {
            histogram.record(Duration::from_micros(us));
        }
        assert_eq!(histogram.at(0.5), Duration::from_micros(50));
        assert_eq!(histogram.at(0.99), Duration::from_micros(99));
        assert_eq!(histogram.at(1.0), Duration::from_micros(100));
        assert_eq!(Histogram::default().at(0.99), Duration::ZERO);
    }
}
