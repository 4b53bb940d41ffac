//! Frames of a streamed `remote_read` answer: length as uvarint, CRC-32C of the payload as four big-endian bytes,
//! payload (Prometheus `storage/remote/chunked.go`).

/// The most bytes that a length of 64 bits takes as uvarint.
const VARINT_BYTES_MAX: usize = 10;
const CHECKSUM_BYTES: usize = 4;

/// Cuts a stream of bytes into frames.
pub(crate) struct FrameReader {
    pending: Vec<u8>,
    frame_bytes_max: usize,
}

/// What is wrong with a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FrameProblem {
    /// A frame is larger than we allow.
    TooLarge,
    /// In words: a checksum does not fit, or the stream ends inside a frame.
    Damaged(String),
}

struct Header {
    payload_starts: usize,
    payload_bytes: usize,
    checksum: u32,
}

impl FrameReader {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        Self { pending: Vec::new(), frame_bytes_max }
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The payload of the next frame, or `None` until all of it has arrived.
    ///
    /// # Errors
    /// A frame that is too large, or whose checksum does not fit.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameProblem> {
        let Some(header) = self.header()? else { return Ok(None) };
        let end = header.payload_starts + header.payload_bytes;
        if self.pending.len() < end {
            return Ok(None);
        }
        let payload = self.pending[header.payload_starts..end].to_vec();
        self.pending.drain(..end);
        let checksum = crc32c(&payload);
        if checksum != header.checksum {
            let problem =
                format!("a frame has the checksum {checksum:08x} instead of {:08x}", header.checksum);
            return Err(FrameProblem::Damaged(problem));
        }
        Ok(Some(payload))
    }

    /// To be asked at the end of the stream.
    ///
    /// # Errors
    /// The stream ended inside a frame.
    pub(crate) fn finish(&self) -> Result<(), FrameProblem> {
        if self.pending.is_empty() {
            return Ok(());
        }
        Err(FrameProblem::Damaged(format!("it ends {} bytes into a frame", self.pending.len())))
    }

    fn header(&self) -> Result<Option<Header>, FrameProblem> {
        let mut length = 0_u64;
        for (index, &byte) in self.pending.iter().take(VARINT_BYTES_MAX).enumerate() {
            length |= u64::from(byte & 0x7f) << (7 * index).min(63);
            if byte & 0x80 != 0 {
                continue;
            }
            let payload_bytes = usize::try_from(length).unwrap_or(usize::MAX);
            if payload_bytes > self.frame_bytes_max {
                return Err(FrameProblem::TooLarge);
            }
            let Some(checksum) = self.pending[index + 1..].first_chunk::<CHECKSUM_BYTES>() else {
                return Ok(None);
            };
            let payload_starts = index + 1 + CHECKSUM_BYTES;
            return Ok(Some(Header {
                payload_starts,
                payload_bytes,
                checksum: u32::from_be_bytes(*checksum),
            }));
        }
        if self.pending.len() >= VARINT_BYTES_MAX {
            return Err(FrameProblem::Damaged("a frame does not begin with its length".to_owned()));
        }
        Ok(None)
    }
}

/// CRC-32C (Castagnoli), reflected polynomial 0x82F63B78 (RFC 3720, appendix B.4).
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = crc32c_table();
    !bytes.iter().fold(!0, |crc, &byte| TABLE[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8))
}

const fn crc32c_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "the index is below 256")]
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(payload.len()).expect("short payloads only")];
        bytes.extend(crc32c(payload).to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-32C, and the test vectors of RFC 3720, appendix B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let stream: Vec<u8> = [frame(b"one"), frame(b""), frame(b"three")].concat();
        for piece in 1..=stream.len() {
            let mut reader = FrameReader::new(100);
            let mut frames = Vec::new();
            for bytes in stream.chunks(piece) {
                reader.push(bytes);
                while let Some(payload) = reader.next_frame().expect("whole frames") {
                    frames.push(payload);
                }
            }
            assert_eq!(frames, [b"one".to_vec(), vec![], b"three".to_vec()], "pieces of {piece}");
            assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn every_cut_inside_a_frame_is_noticed() {
        let stream = frame(b"payload");
        for length in 1..stream.len() {
            let mut reader = FrameReader::new(100);
            reader.push(&stream[..length]);
            assert_eq!(reader.next_frame(), Ok(None), "{length} bytes");
            assert!(reader.finish().is_err(), "{length} bytes");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_payload_is_noticed() {
        let stream = frame(b"payload");
        for bit in 8..stream.len() * 8 {
            let mut damaged = stream.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new(100);
            reader.push(&damaged);
            assert!(reader.next_frame().is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_huge_or_endless_length_is_refused_before_it_is_awaited() {
        for length in [vec![0xff, 0xff, 0xff, 0xff, 0x7f], vec![0x80; 10], vec![0xff; 20]] {
            let mut reader = FrameReader::new(1 << 20);
            reader.push(&length);
            assert!(reader.next_frame().is_err(), "{length:?}");
        }
    }
}
