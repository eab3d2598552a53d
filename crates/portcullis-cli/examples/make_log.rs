//! Writes an access log of API Gateway for measurements: `make_log LINES > access.log`.
//!
//! JSON lines as the documentation's own example has them, with the account, API, stage and
//! path that policies ask for. Addresses and paths are spread as those of real clients are: a
//! few have most of the requests. The same number of lines is always the same log.

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let lines: u64 = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or(1_000);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for line in 0..lines {
        let client = dice.skewed(200_000);
        let ip = if client % 10 == 9 {
            format!(
                "2001:db8:{:x}:{:x}::{:x}",
                client % 997,
                client >> 16,
                client & 0xffff
            )
        } else {
            let network = match client % 50 {
                0 => "198.51.100".to_owned(),
                1..=24 => "203.0.113".to_owned(),
                other => format!("100.{}.{}", 64 + other, client / 50 % 256),
            };
            format!("{network}.{}", client * 7 % 256)
        };
        let method = ["GET", "GET", "GET", "POST", "PUT", "DELETE"]
            .get(dice.below(6))
            .unwrap_or(&"GET");
        let pet = dice.skewed(5_000);
        let seconds = line / 1_000;
        writeln!(
            out,
            "{{\"requestId\":\"{:08x}-1f2e-4d3c-8b5a-{:012x}\",\"extendedRequestId\":\"Yx{:010x}=\",\"ip\":\"{ip}\",\
             \"caller\":\"-\",\"user\":\"-\",\"requestTime\":\"10/Oct/2025:13:{:02}:{:02} +0000\",\
             \"requestTimeEpoch\":\"{}\",\"httpMethod\":\"{method}\",\"path\":\"/prod/pets/{pet}\",\"stage\":\"prod\",\
             \"status\":\"200\",\"protocol\":\"HTTP/1.1\",\"responseLength\":\"{}\",\
             \"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"}}",
            dice.next() >> 32,
            dice.next() >> 16,
            dice.next() >> 24,
            seconds / 60 % 60,
            seconds % 60,
            1_760_104_536_000 + line,
            dice.below(5_000),
        )?;
    }
    out.flush()
}

/// A xorshift generator.
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(1);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    /// Returns a number below `limit`, of which small ones are frequent.
    fn skewed(&mut self, limit: usize) -> usize {
        let within = self.below(limit) + 1;
        self.below(within)
    }
}
