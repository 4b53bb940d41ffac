//! XOR-compressed chunks of floats (Prometheus `tsdb/docs/format/chunks.md`; the compression of Facebook's Gorilla
//! paper, with delta-of-delta times of 14, 17, 20 or 64 bits).

/// The samples of a chunk as `(milliseconds, value)`, staleness markers included, with all their bits.
///
/// # Errors
/// In words: the chunk ends before its last sample, or its numbers make no sense.
pub(crate) fn decode_xor(chunk: &[u8]) -> Result<Vec<(i64, f64)>, String> {
    let Some(count) = chunk.first_chunk::<2>() else {
        return Err("a chunk is shorter than its header".to_owned());
    };
    let count = usize::from(u16::from_be_bytes(*count));
    let mut bits = Bits::new(&chunk[2..]);
    let mut samples = Vec::with_capacity(count);
    let mut state = State::default();
    for index in 0..count {
        let sample = state.next(&mut bits, index);
        samples.push(
            sample.ok_or_else(|| format!("a chunk of {count} samples breaks off at the {}th", index + 1))?,
        );
    }
    Ok(samples)
}

#[derive(Default)]
struct State {
    ms: i64,
    delta: i64,
    value_bits: u64,
    changes: XorChanges,
}

/// Where the bits lay that changed between one number and the next.
#[derive(Clone, Default)]
pub(super) struct XorChanges {
    leading: u32,
    significant: u32,
}

impl State {
    fn next(&mut self, bits: &mut Bits<'_>, index: usize) -> Option<(i64, f64)> {
        match index {
            0 => {
                self.ms = zigzag(bits.uvarint()?);
                self.value_bits = bits.read(64)?;
                return Some((self.ms, f64::from_bits(self.value_bits)));
            }
            1 => self.delta = bits.uvarint()?.cast_signed(),
            _ => self.delta = self.delta.wrapping_add(delta_of_delta(bits)?),
        }
        self.ms = self.ms.wrapping_add(self.delta);
        self.value_bits ^= self.changes.next(bits)?;
        Some((self.ms, f64::from_bits(self.value_bits)))
    }
}

impl XorChanges {
    /// The bits that differ between a number and the one before it.
    pub(super) fn next(&mut self, bits: &mut Bits<'_>) -> Option<u64> {
        if bits.read(1)? == 0 {
            return Some(0);
        }
        if bits.read(1)? == 1 {
            self.leading = u32::try_from(bits.read(5)?).ok()?;
            let significant = u32::try_from(bits.read(6)?).ok()?;
            // 64 does not fit into six bits and is written as 0.
            self.significant = if significant == 0 { 64 } else { significant };
        }
        let trailing = 64_u32.checked_sub(self.leading)?.checked_sub(self.significant)?;
        if self.significant == 0 {
            return None;
        }
        Some(bits.read(self.significant)? << trailing)
    }
}

fn delta_of_delta(bits: &mut Bits<'_>) -> Option<i64> {
    for width in [0, 14, 17, 20] {
        if bits.read(1)? == 0 {
            return signed(bits.read(width)?, width);
        }
    }
    Some(bits.read(64)?.cast_signed())
}

/// A number of `width` bits whose upper half stands for negative numbers.
pub(super) fn signed(number: u64, width: u32) -> Option<i64> {
    if width == 0 {
        return Some(0);
    }
    let number = i64::try_from(number).ok()?;
    Some(if number > 1 << (width - 1) { number - (1 << width) } else { number })
}

fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Bits, the most significant of each byte first.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits are left.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    pub(super) fn read(&mut self, width: u32) -> Option<u64> {
        let mut number = 0;
        let mut missing = width;
        while missing > 0 {
            let byte = u64::from(*self.bytes.get(self.at / 8)?);
            let available = 8 - u32::try_from(self.at % 8).ok()?;
            let taken = available.min(missing);
            let part = (byte >> (available - taken)) & ((1 << taken) - 1);
            number = (number << taken) | part;
            self.at += taken as usize;
            missing -= taken;
        }
        Some(number)
    }

    fn uvarint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.read(8)?;
            number |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes chunks as the format says, to be read back.
    #[derive(Default)]
    struct Writer {
        bytes: Vec<u8>,
        used: usize,
    }

    impl Writer {
        fn write(&mut self, number: u64, width: u32) {
            for bit in (0..width).rev() {
                if self.used.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                let last = self.bytes.len() - 1;
                self.bytes[last] |= u8::from((number >> bit) & 1 == 1) << (7 - self.used % 8);
                self.used += 1;
            }
        }

        fn uvarint(&mut self, mut number: u64) {
            while number >= 0x80 {
                self.write((number & 0x7f) | 0x80, 8);
                number >>= 7;
            }
            self.write(number, 8);
        }

        fn delta_of_delta(&mut self, change: i64) {
            let fits = |width: u32| (-(1_i64 << (width - 1)) + 1..=1 << (width - 1)).contains(&change);
            if change == 0 {
                return self.write(0, 1);
            }
            for (width, prefix, prefix_bits) in [(14, 0b10, 2), (17, 0b110, 3), (20, 0b1110, 4)] {
                if fits(width) {
                    self.write(prefix, prefix_bits);
                    return self.write(change.cast_unsigned() & ((1 << width) - 1), width);
                }
            }
            self.write(0b1111, 4);
            self.write(change.cast_unsigned(), 64);
        }

        fn value(&mut self, change: u64, window: &mut Option<(u32, u32)>) {
            if change == 0 {
                return self.write(0, 1);
            }
            let (leading, trailing) = (change.leading_zeros().min(31), change.trailing_zeros());
            if let Some((l, t)) = *window
                && leading >= l
                && trailing >= t
            {
                self.write(0b10, 2);
                return self.write(change >> t, 64 - l - t);
            }
            *window = Some((leading, trailing));
            let significant = 64 - leading - trailing;
            self.write(0b11, 2);
            self.write(u64::from(leading), 5);
            self.write(u64::from(significant % 64), 6);
            self.write(change >> trailing, significant);
        }
    }

    fn encode(samples: &[(i64, f64)]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.write(samples.len() as u64, 16);
        let (mut window, mut delta) = (None, 0);
        for (index, &(ms, value)) in samples.iter().enumerate() {
            if index == 0 {
                writer.uvarint(((ms << 1) ^ (ms >> 63)).cast_unsigned());
                writer.write(value.to_bits(), 64);
                continue;
            }
            let (previous_ms, previous) = samples[index - 1];
            let next_delta = ms - previous_ms;
            if index == 1 {
                writer.uvarint(next_delta.cast_unsigned());
            } else {
                writer.delta_of_delta(next_delta - delta);
            }
            delta = next_delta;
            writer.value(value.to_bits() ^ previous.to_bits(), &mut window);
        }
        writer.bytes
    }

    fn bits(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
        samples.iter().map(|&(ms, value)| (ms, value.to_bits())).collect()
    }

    fn awkward() -> Vec<(i64, f64)> {
        let values = [0.0, -0.0, 1.0, 1.0, 12.5, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, -1e300, 0.1];
        let steps = [1_000, 1_000, 1_001, 9_192, 9_192, 1, 70_000, 600_000, 5_000_000_000, 15_000];
        let mut ms = 1_700_000_000_000;
        let mut samples = Vec::new();
        for round in 0..40 {
            ms += steps[round % steps.len()];
            samples.push((
                ms,
                values[(round * 7) % values.len()] * f64::from(u8::try_from(round % 5).expect("small")),
            ));
        }
        samples.push((ms + 1, f64::from_bits(super::super::STALE_NAN_BITS)));
        samples
    }

    #[test]
    fn every_bit_of_awkward_samples_survives() {
        let samples = awkward();
        for length in 0..=samples.len() {
            let decoded = decode_xor(&encode(&samples[..length])).expect("a valid chunk");
            assert_eq!(bits(&decoded), bits(&samples[..length]), "{length} samples");
        }
    }

    #[test]
    fn times_at_the_edges_of_each_width_survive() {
        for width in [14, 17, 20] {
            let edge = 1_i64 << (width - 1);
            for change in [edge, edge + 1, -edge + 1, -edge, -edge - 1] {
                let samples = [(0, 1.0), (10_000_000, 2.0), (20_000_000 + change, 3.0)];
                assert_eq!(decode_xor(&encode(&samples)).expect("a valid chunk"), samples, "{change}");
            }
        }
    }

    #[test]
    fn a_chunk_that_breaks_off_is_refused_wherever_it_does() {
        let chunk = encode(&awkward());
        for length in 0..chunk.len() {
            assert!(decode_xor(&chunk[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn no_damage_makes_the_decoder_panic() {
        let chunk = encode(&awkward());
        for bit in 0..chunk.len() * 8 {
            let mut damaged = chunk.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Either outcome is fine, for checksums find damage; only an overflow or an endless loop is not.
            let announced = usize::from(u16::from_be_bytes([damaged[0], damaged[1]]));
            assert!(decode_xor(&damaged).map_or(true, |samples| samples.len() == announced), "bit {bit}");
        }
    }
}
