//! Native histograms: samples, and the chunks in which `remote_read` streams them (Prometheus
//! `tsdb/chunkenc/histogram.go`, `float_histogram.go`, `histogram_meta.go` and `varbit.go`, as of version 2.40 and, for
//! histograms with custom bounds, 3.0).

use super::STALE_NAN_BITS;
use super::xor::{Bits, XorChanges, signed};

/// One sample of a native histogram: running totals, like the parts of a classic one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NativeHistogram {
    /// How many observations there were.
    pub(crate) count: f64,
    /// Their sum.
    pub(crate) sum: f64,
    /// The buckets that hold any of them, in any order.
    pub(crate) buckets: Vec<Bucket>,
}

/// The observations above `lower` up to `upper`; either may be infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: f64,
}

/// Why a chunk cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChunkProblem {
    /// Its type, or the layout of its buckets, is not known to this version.
    Unknown,
    /// In words: the chunk ends before its last sample, or its numbers make no sense.
    Damaged(String),
}

/// How the counts of a chunk are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Whole,
    Floats,
}

/// The schema of histograms whose bounds are listed one by one.
const CUSTOM_BOUNDS: i64 = -53;
/// The finest schema that the query API shows; chunks may hold finer ones up to 52, which are made coarser.
const FINEST_SCHEMA: i64 = 8;
/// Bytes before the samples of a chunk: their number, and how the counter was reset.
const HEADER_BYTES: usize = 3;

/// The samples of a chunk as `(milliseconds, histogram)`, without staleness markers.
///
/// # Errors
/// See [`ChunkProblem`].
pub(crate) fn decode_histograms(
    chunk: &[u8],
    with_floats: bool,
) -> Result<Vec<(i64, NativeHistogram)>, ChunkProblem> {
    let damaged = |problem: &str| ChunkProblem::Damaged(problem.to_owned());
    let Some(&[high, low, _]) = chunk.first_chunk::<HEADER_BYTES>() else {
        return Err(damaged("a chunk of histograms is shorter than its header"));
    };
    let count = u16::from_be_bytes([high, low]);
    if count == 0 {
        return Ok(Vec::new());
    }
    let bits = &mut Bits::new(&chunk[HEADER_BYTES..]);
    let layout =
        Layout::read(bits).ok_or_else(|| damaged("a chunk of histograms breaks off in its layout"))?;
    if !layout.is_known() {
        return Err(ChunkProblem::Unknown);
    }
    let counts = if with_floats { Counts::Floats } else { Counts::Whole };
    let broken = || damaged("a chunk of histograms breaks off before its last sample");
    let mut state = State::first(counts, &layout, bits).ok_or_else(broken)?;
    let mut samples: Vec<(i64, NativeHistogram)> = state.sample(counts, &layout).into_iter().collect();
    for _ in 1..count {
        state.advance(counts, bits).ok_or_else(broken)?;
        samples.extend(state.sample(counts, &layout));
    }
    Ok(samples)
}

/// What all samples of a chunk share.
struct Layout {
    schema: i64,
    zero_threshold: f64,
    /// The indices of the buckets above and below zero.
    positive: Vec<i64>,
    negative: Vec<i64>,
    /// The bounds of [`CUSTOM_BOUNDS`].
    bounds: Vec<f64>,
}

impl Layout {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let zero_threshold = zero_threshold(bits)?;
        let schema = varbit_int(bits)?;
        let (positive, negative) = (indices(bits)?, indices(bits)?);
        let bounds = if schema == CUSTOM_BOUNDS { custom_bounds(bits)? } else { Vec::new() };
        Some(Self { schema, zero_threshold, positive, negative, bounds })
    }

    fn is_known(&self) -> bool {
        self.schema == CUSTOM_BOUNDS || (-4..=52).contains(&self.schema)
    }

    /// The bounds of the bucket above zero with this index.
    fn above_zero(&self, index: i64) -> (f64, f64) {
        if self.schema == CUSTOM_BOUNDS {
            let bound =
                |index: i64| usize::try_from(index).ok().and_then(|index| self.bounds.get(index)).copied();
            return (bound(index - 1).unwrap_or(f64::NEG_INFINITY), bound(index).unwrap_or(f64::INFINITY));
        }
        let finer = (self.schema - FINEST_SCHEMA).max(0);
        let index = ((index - 1) >> finer) + 1;
        // Bounds are powers of 2 to the power of 2^-schema.
        let width = (-(self.schema.min(FINEST_SCHEMA)) as f64).exp2();
        (((index - 1) as f64 * width).exp2(), (index as f64 * width).exp2())
    }
}

/// The numbers of one sample, and how they changed since the one before.
struct State {
    ms: i64,
    delta_ms: i64,
    count: Number,
    zero_count: Number,
    sum: Number,
    positive: Vec<Number>,
    negative: Vec<Number>,
}

impl State {
    fn first(counts: Counts, layout: &Layout, bits: &mut Bits<'_>) -> Option<Self> {
        let ms = varbit_int(bits)?;
        let total = |bits: &mut Bits<'_>| match counts {
            Counts::Whole => varbit_uint(bits).map(Number::new),
            Counts::Floats => bits.read(64).map(Number::new),
        };
        let (count, zero_count) = (total(bits)?, total(bits)?);
        let sum = Number::new(bits.read(64)?);
        let bucket = |bits: &mut Bits<'_>| match counts {
            Counts::Whole => varbit_int(bits).map(|count| Number::new(count.cast_unsigned())),
            Counts::Floats => bits.read(64).map(Number::new),
        };
        let positive = layout.positive.iter().map(|_| bucket(bits)).collect::<Option<_>>()?;
        let negative = layout.negative.iter().map(|_| bucket(bits)).collect::<Option<_>>()?;
        Some(Self { ms, delta_ms: 0, count, zero_count, sum, positive, negative })
    }

    fn advance(&mut self, counts: Counts, bits: &mut Bits<'_>) -> Option<()> {
        self.delta_ms = self.delta_ms.wrapping_add(varbit_int(bits)?);
        self.ms = self.ms.wrapping_add(self.delta_ms);
        self.count.advance(counts, bits)?;
        self.zero_count.advance(counts, bits)?;
        self.sum.advance(Counts::Floats, bits)?;
        if self.is_stale() {
            return Some(());
        }
        self.positive.iter_mut().chain(&mut self.negative).try_for_each(|bucket| bucket.advance(counts, bits))
    }

    fn is_stale(&self) -> bool {
        self.sum.bits == STALE_NAN_BITS
    }

    /// `None` for a staleness marker.
    fn sample(&self, counts: Counts, layout: &Layout) -> Option<(i64, NativeHistogram)> {
        if self.is_stale() {
            return None;
        }
        let zero = Bucket {
            lower: -layout.zero_threshold,
            upper: layout.zero_threshold,
            count: self.zero_count.total(counts),
        };
        let mut buckets = vec![zero];
        for (&index, count) in layout.positive.iter().zip(in_buckets(&self.positive, counts)) {
            let (lower, upper) = layout.above_zero(index);
            buckets.push(Bucket { lower, upper, count });
        }
        for (&index, count) in layout.negative.iter().zip(in_buckets(&self.negative, counts)) {
            let (lower, upper) = layout.above_zero(index);
            buckets.push(Bucket { lower: -upper, upper: -lower, count });
        }
        buckets.retain(|bucket| bucket.count > 0.0);
        let histogram =
            NativeHistogram { count: self.count.total(counts), sum: f64::from_bits(self.sum.bits), buckets };
        Some((self.ms, histogram))
    }
}

/// The counts of buckets; whole ones are written as the difference to the bucket before.
fn in_buckets(numbers: &[Number], counts: Counts) -> Vec<f64> {
    let mut running = 0_i64;
    let count = |number: &Number| match counts {
        Counts::Floats => f64::from_bits(number.bits),
        Counts::Whole => {
            running = running.wrapping_add(number.bits.cast_signed());
            running as f64
        }
    };
    numbers.iter().map(count).collect()
}

/// A whole number or the bits of a float, and how it changed last.
struct Number {
    bits: u64,
    delta: i64,
    changes: XorChanges,
}

impl Number {
    fn new(bits: u64) -> Self {
        Self { bits, delta: 0, changes: XorChanges::default() }
    }

    fn advance(&mut self, counts: Counts, bits: &mut Bits<'_>) -> Option<()> {
        match counts {
            Counts::Floats => self.bits ^= self.changes.next(bits)?,
            Counts::Whole => {
                self.delta = self.delta.wrapping_add(varbit_int(bits)?);
                self.bits = self.bits.wrapping_add(self.delta.cast_unsigned());
            }
        }
        Some(())
    }

    fn total(&self, counts: Counts) -> f64 {
        match counts {
            Counts::Floats => f64::from_bits(self.bits),
            Counts::Whole => self.bits as f64,
        }
    }
}

/// One byte for 0 and powers of 2, else nine.
fn zero_threshold(bits: &mut Bits<'_>) -> Option<f64> {
    const EXPONENT_BIAS: f64 = 244.0;
    match bits.read(8)? {
        0 => Some(0.0),
        255 => bits.read(64).map(f64::from_bits),
        exponent => Some((exponent as f64 - EXPONENT_BIAS).exp2()),
    }
}

/// The indices of the buckets in spans, each given by its length and its distance from the end of the one before.
fn indices(bits: &mut Bits<'_>) -> Option<Vec<i64>> {
    let mut indices = Vec::new();
    let mut next = 0_i64;
    for _ in 0..varbit_uint(bits)? {
        let length = varbit_uint(bits)?;
        next = next.checked_add(i64::from(i32::try_from(varbit_int(bits)?).ok()?))?;
        // Every bucket takes at least one bit of its sample.
        if usize::try_from(length).ok()? > bits.left() {
            return None;
        }
        let end = next + i64::try_from(length).ok()?;
        indices.extend(next..end);
        next = end;
    }
    Some(indices)
}

/// Bounds in thousandths where those are whole numbers, else as floats.
fn custom_bounds(bits: &mut Bits<'_>) -> Option<Vec<f64>> {
    let number = varbit_uint(bits)?;
    if usize::try_from(number).ok()? > bits.left() {
        return None;
    }
    let bound = |bits: &mut Bits<'_>| match varbit_uint(bits)? {
        0 => bits.read(64).map(f64::from_bits),
        thousandths => Some((thousandths - 1) as f64 / 1000.0),
    };
    (0..number).map(|_| bound(bits)).collect()
}

/// How many bits follow each prefix of ones.
const VARBIT_WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

fn varbit_width(bits: &mut Bits<'_>) -> Option<u32> {
    let mut ones = 0;
    while ones < VARBIT_WIDTHS.len() - 1 && bits.read(1)? == 1 {
        ones += 1;
    }
    Some(VARBIT_WIDTHS[ones])
}

fn varbit_uint(bits: &mut Bits<'_>) -> Option<u64> {
    let width = varbit_width(bits)?;
    bits.read(width)
}

fn varbit_int(bits: &mut Bits<'_>) -> Option<i64> {
    match varbit_width(bits)? {
        64 => bits.read(64).map(u64::cast_signed),
        width => signed(bits.read(width)?, width),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes chunks as the format says, to be read back: bits, the most significant of each byte first.
    #[derive(Default)]
    struct Writer {
        bits: Vec<bool>,
    }

    impl Writer {
        fn write(&mut self, number: u64, width: u32) {
            self.bits.extend((0..width).rev().map(|bit| (number >> bit) & 1 == 1));
        }

        fn uint(&mut self, number: u64) {
            let fits = |width: u32| width == 64 || number < 1 << width;
            let index =
                VARBIT_WIDTHS.iter().position(|&width| fits(width)).expect("64 bits hold every number");
            self.prefixed(number, index);
        }

        fn int(&mut self, number: i64) {
            let fits = |width: u32| match width {
                0 => number == 0,
                64 => true,
                _ => (1 - (1 << (width - 1))..=1 << (width - 1)).contains(&number),
            };
            let index =
                VARBIT_WIDTHS.iter().position(|&width| fits(width)).expect("64 bits hold every number");
            let width = VARBIT_WIDTHS[index];
            let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            self.prefixed(number.cast_unsigned() & mask, index);
        }

        fn ints(&mut self, numbers: &[i64]) {
            for &number in numbers {
                self.int(number);
            }
        }

        fn prefixed(&mut self, number: u64, index: usize) {
            for _ in 0..index {
                self.write(1, 1);
            }
            if index + 1 < VARBIT_WIDTHS.len() {
                self.write(0, 1);
            }
            self.write(number, VARBIT_WIDTHS[index]);
        }

        fn into_chunk(self, samples: u16) -> Vec<u8> {
            let byte = |bits: &[bool]| {
                (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)))
            };
            samples.to_be_bytes().into_iter().chain([0]).chain(self.bits.chunks(8).map(byte)).collect()
        }
    }

    /// Two samples, the second twice the first, then a staleness marker, with custom bounds .25 and 1/3.
    fn custom() -> Vec<u8> {
        let mut writer = Writer::default();
        writer.write(0, 8);
        writer.int(CUSTOM_BOUNDS);
        writer.uint(1);
        writer.uint(3);
        writer.int(0);
        writer.uint(0);
        writer.uint(2);
        writer.uint(251);
        writer.uint(0);
        writer.write((1.0_f64 / 3.0).to_bits(), 64);
        // Time, count, zero count, sum, and three buckets as differences: 5, 1, 4.
        writer.int(1_700_000_000_000);
        writer.uint(10);
        writer.uint(0);
        writer.write(2.5_f64.to_bits(), 64);
        writer.ints(&[5, -4, 3]);
        writer.int(1_000);
        writer.ints(&[10, 0]);
        writer.write(0, 1);
        writer.ints(&[5, -4, 3]);
        writer.int(0);
        writer.ints(&[-10, 0]);
        let change = 2.5_f64.to_bits() ^ STALE_NAN_BITS;
        writer.write(0b11, 2);
        writer.write(u64::from(change.leading_zeros()), 5);
        writer.write(u64::from(64 - change.leading_zeros()), 6);
        writer.write(change, 64 - change.leading_zeros());
        writer.into_chunk(3)
    }

    #[test]
    fn bounds_that_are_listed_one_by_one_and_staleness_markers_are_read() {
        let samples = decode_histograms(&custom(), false).expect("a valid chunk");
        let third = 1.0 / 3.0;
        let histogram = |factor: f64| NativeHistogram {
            count: 10.0 * factor,
            sum: 2.5,
            buckets: vec![
                Bucket { lower: f64::NEG_INFINITY, upper: 0.25, count: 5.0 * factor },
                Bucket { lower: 0.25, upper: third, count: factor },
                Bucket { lower: third, upper: f64::INFINITY, count: 4.0 * factor },
            ],
        };
        let expected = [(1_700_000_000_000, histogram(1.0)), (1_700_000_001_000, histogram(2.0))];
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_chunk_that_breaks_off_is_refused_wherever_it_does() {
        let chunk = custom();
        for length in 0..chunk.len() - 1 {
            assert!(decode_histograms(&chunk[..length], false).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn no_damage_makes_the_decoder_panic_or_invent_samples() {
        let chunk = custom();
        for bit in 0..chunk.len() * 8 {
            let mut damaged = chunk.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let announced = usize::from(u16::from_be_bytes([damaged[0], damaged[1]]));
            for floats in [false, true] {
                let read = decode_histograms(&damaged, floats);
                assert!(read.map_or(true, |samples| samples.len() <= announced), "bit {bit}");
            }
        }
    }

    #[test]
    fn an_unknown_layout_is_told_from_damage() {
        let mut writer = Writer::default();
        writer.write(0, 8);
        writer.int(-54);
        writer.uint(0);
        writer.uint(0);
        assert_eq!(decode_histograms(&writer.into_chunk(1), false), Err(ChunkProblem::Unknown));
    }
}
