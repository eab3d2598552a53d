//! Chunks of lines through several threads, answered in order.
//!
//! ```text
//!            ┌─▶ worker 0 ─┐
//! reader ────┼─▶ worker 1 ─┼──▶ writer      chunk n goes to worker n mod w and is taken from there
//!            └─▶ worker … ─┘
//! ```
//!
//! A chunk is whatever whole lines one read gave: large where the input is a file, a
//! single line where somebody types, so that it is answered at once without a clock or a
//! look at what the input is. All queues are bounded, and so is a line.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// A source of lines.
pub(super) struct Input {
    /// Its name.
    pub(super) file: String,
    /// Its bytes.
    pub(super) reader: Box<dyn Read>,
}

/// Answers lines; each worker has its own.
pub(super) trait Answer {
    /// Appends the answer to a line, with a line feed, and returns whether the line failed.
    fn answer(&mut self, line: &[u8], number: u64, answers: &mut Vec<u8>) -> bool;

    /// Appends the answer to a line that is longer than can be taken.
    fn too_long(&mut self, limit: usize, number: u64, answers: &mut Vec<u8>);
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Run {
    /// What was answered until then.
    pub(super) tally: Tally,
    /// Whether all was.
    pub(super) outcome: Result<(), Trouble>,
}

/// How many lines there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Lines that were not empty.
    pub(super) lines: u64,
    /// Of these, those without a decision.
    pub(super) failed: u64,
}

/// What ended a run early.
#[derive(Debug)]
pub(super) enum Trouble {
    /// An input cannot be read.
    Read {
        /// Which one.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// The answers cannot be written.
    Write(io::Error),
}

/// Answers every line of `inputs` to `output`, with `workers` threads.
pub(super) fn run<A: Answer>(
    inputs: Vec<Input>,
    output: impl Write + Send,
    workers: usize,
    answerer: impl Fn() -> A + Sync,
) -> Run {
    thread::scope(|scope| {
        let (mut chunks, mut answers) = (Vec::new(), Vec::new());
        for _ in 0..workers.max(1) {
            let (chunk_sender, chunk_receiver) = sync_channel(QUEUE);
            let (answer_sender, answer_receiver) = sync_channel(QUEUE);
            chunks.push(chunk_sender);
            answers.push(answer_receiver);
            let answerer = &answerer;
            scope.spawn(move || work(answerer(), &chunk_receiver, &answer_sender));
        }
        let writer = scope.spawn(move || write(&answers, output));
        let read = read(inputs, chunks);
        let (tally, written) = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Run {
            tally,
            outcome: written.map_err(Trouble::Write).and(read),
        }
    })
}

/// Lines on their way to a worker.
enum Chunk {
    Lines { bytes: Vec<u8>, first: u64 },
    TooLong { number: u64 },
}

/// Answers on their way to the writer.
#[derive(Default)]
struct Answers {
    bytes: Vec<u8>,
    tally: Tally,
}

/// Reads the inputs and deals their lines out; ends early where nobody writes any more.
fn read(inputs: Vec<Input>, chunks: Vec<SyncSender<Chunk>>) -> Result<(), Trouble> {
    let mut dealer = Dealer {
        chunks,
        next: 0,
        line: 1,
    };
    for Input { file, mut reader } in inputs {
        if let Err(error) = deal(&mut reader, &mut dealer) {
            return Err(Trouble::Read { file, error });
        }
    }
    Ok(())
}

struct Dealer {
    chunks: Vec<SyncSender<Chunk>>,
    next: usize,
    line: u64,
}

impl Dealer {
    /// Returns whether anybody is left to answer.
    fn send(&mut self, bytes: Vec<u8>) -> bool {
        let first = self.line;
        let lines = memchr::memchr_iter(b'\n', &bytes).count()
            + usize::from(bytes.last().is_some_and(|&byte| byte != b'\n'));
        self.line += u64::try_from(lines).unwrap_or(0);
        self.deal(Chunk::Lines { bytes, first })
    }

    fn send_too_long(&mut self) -> bool {
        let number = self.line;
        self.line += 1;
        self.deal(Chunk::TooLong { number })
    }

    fn deal(&mut self, chunk: Chunk) -> bool {
        let Some(worker) = self.chunks.get(self.next) else {
            return false;
        };
        self.next = (self.next + 1) % self.chunks.len();
        worker.send(chunk).is_ok()
    }
}

/// Reads one input to its end.
fn deal(reader: &mut dyn Read, dealer: &mut Dealer) -> io::Result<()> {
    let mut pending: Vec<u8> = Vec::new();
    let mut block = vec![0; BLOCK];
    // In a line that is too long: what is left of it is passed over.
    let mut skipping = false;
    loop {
        let count = match reader.read(&mut block) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut read = block.get(..count).unwrap_or_default();
        if count == 0 {
            if !pending.is_empty() {
                dealer.send(pending);
            }
            return Ok(());
        }
        if skipping {
            let Some(end) = memchr::memchr(b'\n', read) else {
                continue;
            };
            skipping = false;
            read = read.get(end + 1..).unwrap_or_default();
        }
        let whole = memchr::memrchr(b'\n', read).map_or(0, |end| end + 1);
        let (lines, rest) = read.split_at(whole);
        if !lines.is_empty() {
            let mut bytes = core::mem::take(&mut pending);
            bytes.extend_from_slice(lines);
            if !dealer.send(bytes) {
                return Ok(());
            }
        }
        pending.extend_from_slice(rest);
        if pending.len() > LINE_LIMIT {
            pending = Vec::new();
            skipping = true;
            if !dealer.send_too_long() {
                return Ok(());
            }
        }
    }
}

fn work(mut answerer: impl Answer, chunks: &Receiver<Chunk>, sender: &SyncSender<Answers>) {
    for chunk in chunks {
        let mut answers = Answers::default();
        match chunk {
            Chunk::TooLong { number } => {
                answerer.too_long(LINE_LIMIT, number, &mut answers.bytes);
                answers.tally = Tally {
                    lines: 1,
                    failed: 1,
                };
            }
            Chunk::Lines { bytes, first } => {
                answers.bytes.reserve(bytes.len() / 4);
                for (line, number) in bytes.split(|&byte| byte == b'\n').zip(first..) {
                    if line.trim_ascii().is_empty() {
                        continue;
                    }
                    answers.tally.lines += 1;
                    if answerer.answer(line, number, &mut answers.bytes) {
                        answers.tally.failed += 1;
                    }
                }
            }
        }
        if sender.send(answers).is_err() {
            return;
        }
    }
}

/// Writes answers in the order of their chunks until there are no more, or nobody reads them.
fn write(answers: &[Receiver<Answers>], mut output: impl Write) -> (Tally, io::Result<()>) {
    let mut tally = Tally::default();
    for worker in answers.iter().cycle() {
        let Ok(chunk) = worker.recv() else {
            break;
        };
        tally.lines += chunk.tally.lines;
        tally.failed += chunk.tally.failed;
        let written = output.write_all(&chunk.bytes).and_then(|()| output.flush());
        if let Err(error) = written {
            return (tally, Err(error));
        }
    }
    (tally, Ok(()))
}

/// Chunks that wait for a worker, or for the writer.
const QUEUE: usize = 4;
/// Bytes of a read.
const BLOCK: usize = 256 << 10;
/// Bytes of a line: a policy may be 64 MiB, and a few of them may come with it.
const LINE_LIMIT: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers a line with itself and its number; `!` fails.
    struct Echo;

    impl Answer for Echo {
        fn answer(&mut self, line: &[u8], number: u64, answers: &mut Vec<u8>) -> bool {
            answers.extend_from_slice(format!("{number}:").as_bytes());
            answers.extend_from_slice(line);
            answers.push(b'\n');
            line == b"!"
        }

        fn too_long(&mut self, _limit: usize, number: u64, answers: &mut Vec<u8>) {
            answers.extend_from_slice(format!("{number}:too long\n").as_bytes());
        }
    }

    /// Gives bytes in pieces of one size.
    struct Pieces(Vec<u8>, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(self.0.drain(..count)) {
                *to = from;
            }
            Ok(count)
        }
    }

    fn echo(texts: &[&str], piece: usize, workers: usize) -> (String, Tally) {
        let inputs = texts
            .iter()
            .map(|text| Input {
                file: String::new(),
                reader: Box::new(Pieces(text.as_bytes().to_vec(), piece)),
            })
            .collect();
        let mut output = Vec::new();
        let run = run(inputs, &mut output, workers, || Echo);
        assert!(run.outcome.is_ok());
        (String::from_utf8(output).unwrap(), run.tally)
    }

    #[test]
    fn lines_keep_their_order_and_number_however_they_come() {
        let lines: Vec<String> = (0..500).map(|n| "x".repeat(n % 7)).collect();
        let text = lines.join("\n");
        let expected: String = lines
            .iter()
            .zip(1..)
            .filter(|(line, _)| !line.is_empty())
            .map(|(line, number)| format!("{number}:{line}\n"))
            .collect();
        for piece in [1, 2, 3, 10, 1_000, 1_000_000] {
            for workers in [1, 2, 5] {
                let (output, tally) = echo(&[&text], piece, workers);
                assert_eq!(output, expected, "{piece} {workers}");
                assert_eq!(tally.failed, 0);
            }
        }
    }

    #[test]
    fn files_follow_one_another_and_need_no_last_line_feed() {
        let (output, tally) = echo(&["a\n!", "b\n\n", "c"], 2, 2);
        assert_eq!(output, "1:a\n2:!\n3:b\n5:c\n");
        assert_eq!(
            tally,
            Tally {
                lines: 4,
                failed: 1
            }
        );
    }

    #[test]
    fn a_writer_that_fails_ends_the_run() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = Input {
            file: String::new(),
            reader: Box::new(io::repeat(b'\n').chain(io::empty())),
        };
        let line = Input {
            file: String::new(),
            reader: Box::new(Pieces(b"a\n".to_vec(), 2)),
        };
        let run = run(vec![line, endless], Closed, 2, || Echo);
        assert!(matches!(run.outcome, Err(Trouble::Write(_))));
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let long = io::repeat(b'x').take(u64::try_from(LINE_LIMIT).unwrap() + 10);
        let input = Input {
            file: String::new(),
            reader: Box::new(long.chain(Pieces(b"x\nb\n".to_vec(), 3))),
        };
        let mut output = Vec::new();
        let run = run(vec![input], &mut output, 2, || Echo);
        assert!(run.outcome.is_ok());
        assert_eq!(output, b"1:too long\n2:b\n");
    }
}
