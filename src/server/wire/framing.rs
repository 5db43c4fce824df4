//! Where a request's body ends, by exactly the rules of actix-http.

/// The rest of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes; 0 = the body is over.
    Length(u64),
    /// Chunks, with the position in them.
    Chunked(ChunkPosition),
    /// All bytes that follow, such as after CONNECT.
    Endless,
}

/// A position in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkPosition {
    /// Before the first digit of a chunk's size.
    Start,
    /// After a digit of the size so far.
    Size(u64),
    /// In the white space after a size.
    Space(u64),
    /// In the extension after a size.
    Extension(u64),
    /// After the CR behind a size.
    SizeEnd(u64),
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// After a chunk.
    DataCr,
    /// After the CR behind a chunk.
    DataLf,
    /// At the start of a line behind the last chunk.
    Line,
    /// In a line behind the last chunk.
    Trailer,
    /// After the CR behind a trailer.
    TrailerEnd,
    /// After the CR of the empty line that ends the body.
    LastLf,
}

impl Framing {
    /// Whether the body is over.
    pub(super) fn is_done(self) -> bool {
        self == Framing::Length(0)
    }

    /// Counts bytes that arrived, and returns how many of them belong to the body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        match *self {
            Framing::Endless => bytes.len(),
            Framing::Length(left) => {
                let taken = least(left, bytes.len());
                *self = Framing::Length(left - taken as u64);
                taken
            }
            Framing::Chunked(_) => self.advance_chunks(bytes),
        }
    }

    fn advance_chunks(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match *self {
                Framing::Chunked(ChunkPosition::Data(left)) => {
                    let taken = least(left, bytes.len() - at);
                    at += taken;
                    let left = left - taken as u64;
                    *self = Framing::Chunked(match left {
                        0 => ChunkPosition::DataCr,
                        left => ChunkPosition::Data(left),
                    });
                }
                Framing::Chunked(position) => {
                    *self = position.after(bytes[at]);
                    at += 1;
                }
                Framing::Length(_) => return at,
                Framing::Endless => return bytes.len(),
            }
        }
        at
    }
}

fn least(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}

impl ChunkPosition {
    /// The framing after one more byte. actix-http closes the connection after a broken chunk: whatever follows is no request.
    fn after(self, byte: u8) -> Framing {
        let next = match (self, byte) {
            (ChunkPosition::Start, byte) => hex(byte).map(ChunkPosition::Size),
            (ChunkPosition::Size(size), byte) if byte.is_ascii_hexdigit() => {
                let longer = size.checked_mul(16).zip(hex(byte));
                longer.map(|(size, digit)| ChunkPosition::Size(size + digit))
            }
            (ChunkPosition::Size(size) | ChunkPosition::Space(size), b'\t' | b' ') => {
                Some(ChunkPosition::Space(size))
            }
            (ChunkPosition::Size(size) | ChunkPosition::Space(size), b';') => {
                Some(ChunkPosition::Extension(size))
            }
            (
                ChunkPosition::Size(size)
                | ChunkPosition::Space(size)
                | ChunkPosition::Extension(size),
                b'\r',
            ) => Some(ChunkPosition::SizeEnd(size)),
            (ChunkPosition::Extension(_), 0..=8 | 10..=31 | 127) => None,
            (ChunkPosition::Extension(size), _) => Some(ChunkPosition::Extension(size)),
            (ChunkPosition::SizeEnd(0), b'\n') => Some(ChunkPosition::Line),
            (ChunkPosition::SizeEnd(size), b'\n') => Some(ChunkPosition::Data(size)),
            (ChunkPosition::DataCr, b'\r') => Some(ChunkPosition::DataLf),
            (ChunkPosition::DataLf, b'\n') => Some(ChunkPosition::Start),
            (ChunkPosition::Line, b'\r') => Some(ChunkPosition::LastLf),
            (ChunkPosition::Trailer, b'\r') => Some(ChunkPosition::TrailerEnd),
            (ChunkPosition::Line | ChunkPosition::Trailer, _) => Some(ChunkPosition::Trailer),
            (ChunkPosition::TrailerEnd, b'\n') => Some(ChunkPosition::Line),
            (ChunkPosition::LastLf, b'\n') => return Framing::Length(0),
            _ => None,
        };
        next.map_or(Framing::Endless, Framing::Chunked)
    }
}

fn hex(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}
