//! Chunks of lines through several threads, counted apart and listed in order.
//!
//! ```text
//!            ┌─▶ judge 0 ─┐
//! reader ────┼─▶ judge 1 ─┼──▶ writer      chunk n goes to judge n mod w and is taken from there
//!            └─▶ judge … ─┘
//! ```
//!
//! All queues are bounded, and so is a line: memory does not depend on the size of a log. The
//! reader decompresses, finds the ends of lines and counts them, so that a judge knows the
//! numbers of its lines. What a judge has read goes back to the reader, to be filled again.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use core::sync::atomic::{AtomicBool, Ordering};

use super::block::Block;
use super::format::{Line, LogFormat, NamesOf, Shape};
use super::judge::Judge;
use super::record::{Record, Unreadable};
use super::source::Source;
use super::tally::Tally;
use crate::failure::Failure;
use crate::terminal::{shortened, shown, visible};

/// What a run counted and found.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// All counts.
    pub(crate) tally: Tally,
    /// How many lines are no requests.
    pub(crate) unreadable: u64,
    /// The first of them.
    pub(crate) bad: Vec<BadLine>,
    /// Whether it ended early because nobody reads the list any more.
    pub(crate) is_cut: bool,
}

/// A line that is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// The log.
    pub(crate) file: Arc<str>,
    /// The line, from 1.
    pub(crate) line: u64,
    /// What is wrong.
    pub(crate) reason: String,
    /// How the line starts.
    pub(crate) excerpt: String,
}

/// How a run goes.
pub(crate) struct Settings<'a> {
    /// The form of all logs, where one is given.
    pub(crate) format: Option<LogFormat>,
    /// What fields are called.
    pub(crate) names: &'a NamesOf,
    /// How many unreadable lines are too many.
    pub(crate) max_bad: Option<u64>,
    /// How many threads decide.
    pub(crate) workers: usize,
    /// Whether listed requests are written.
    pub(crate) lists: bool,
}

/// What the reader tells about its progress.
pub(crate) trait Progress {
    /// A log has this form; `is_told` is whether that was found out.
    fn form(&mut self, file: &str, format: LogFormat, is_told: bool) -> Result<(), Failure>;

    /// So many more lines were read.
    fn lines(&mut self, lines: u64);
}

/// Reads, decides and counts all logs.
pub(crate) fn run<'e>(
    sources: impl Iterator<Item = Result<Source, Failure>>,
    settings: &Settings<'_>,
    judge: impl Fn() -> Judge<'e> + Sync,
    list: impl Write + Send,
    progress: &mut impl Progress,
) -> Result<Run, Failure> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (mut chunks, mut answers, mut judges) = (Vec::new(), Vec::new(), Vec::new());
        // Never more of them than chunks on their way.
        let (spent, spare) = channel();
        for _ in 0..settings.workers.max(1) {
            let (chunk_sender, chunk_receiver) = sync_channel(QUEUE);
            let (answer_sender, answer_receiver) = sync_channel(QUEUE);
            chunks.push(chunk_sender);
            answers.push(answer_receiver);
            let judge = &judge;
            let lists = settings.lists;
            let spent = spent.clone();
            judges.push(
                scope.spawn(move || work(judge(), lists, &chunk_receiver, &answer_sender, &spent)),
            );
        }
        let (stop, max_bad) = (&stop, settings.max_bad);
        let writer = scope.spawn(move || write(&answers, list, max_bad, stop));
        let mut dealer = Dealer {
            chunks,
            next: 0,
            spare,
            stop,
        };
        let read = sources
            .into_iter()
            .try_for_each(|source| read(source?, settings, &mut dealer, progress));
        drop(dealer);
        let (mut run, written) = joined(writer);
        for judge in judges {
            run.tally.add(joined(judge));
        }
        match written {
            // Whoever closed the pipe has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => run.is_cut = true,
            written => written.map_err(Failure::Output)?,
        }
        read?;
        Ok(run)
    })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lines on their way to a judge.
struct Chunk {
    file: Arc<str>,
    /// The number of the first line.
    first: u64,
    lines: Lines,
}

enum Lines {
    Whole { block: Block, shape: Shape },
    TooLong,
}

/// What a judge found in a chunk.
#[derive(Default)]
struct Answers {
    listed: Vec<u8>,
    unreadable: u64,
    bad: Vec<BadLine>,
}

struct Dealer<'a> {
    chunks: Vec<SyncSender<Chunk>>,
    next: usize,
    spare: Receiver<Block>,
    stop: &'a AtomicBool,
}

impl Dealer<'_> {
    /// Returns whether to go on.
    fn deal(&mut self, chunk: Chunk) -> bool {
        let Some(worker) = self.chunks.get(self.next) else {
            return false;
        };
        self.next = (self.next + 1) % self.chunks.len();
        worker.send(chunk).is_ok() && !self.stop.load(Ordering::Relaxed)
    }

    /// Returns an empty block, one that was read if there is any.
    fn block(&self) -> Block {
        let mut block = self.spare.try_recv().unwrap_or_default();
        block.clear();
        block
    }
}

/// Reads one log to its end.
fn read(
    source: Source,
    settings: &Settings<'_>,
    dealer: &mut Dealer<'_>,
    progress: &mut impl Progress,
) -> Result<(), Failure> {
    let file: Arc<str> = source.name.as_str().into();
    let unread = |error| Failure::File {
        file: file.to_string(),
        error,
    };
    let mut reader = source.reader;
    let mut pending = dealer.block();
    let (mut shape, mut at_end) = loop {
        let at_end = pending.fill(&mut reader, FIRST, PIECE).map_err(unread)?;
        if pending.bytes().starts_with(MARK) {
            pending.drop_front(MARK.len());
        }
        if let Some(shape) = shape_of(&file, pending.bytes(), at_end, settings, progress)? {
            break (shape, at_end);
        }
        if at_end && pending.bytes().iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        if at_end || pending.bytes().len() >= FIRST_LIMIT {
            return Err(Failure::usage(
                format!(
                    "the form of {} cannot be told from its first lines{}",
                    visible(&file),
                    first_line(pending.bytes())
                ),
                "say it with --log-format NAME; `portcullis replay --help` lists the names",
            ));
        }
    };
    let mut line = 1;
    // In a line that is too long: what is left of it is passed over.
    let mut skipping = false;
    loop {
        if skipping {
            let bytes = pending.bytes();
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
            skipping = end == bytes.len() && bytes.last() != Some(&b'\n');
            pending.drop_front(end);
        }
        let bytes = pending.bytes();
        let whole = if at_end {
            bytes.len()
        } else {
            memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)
        };
        if whole > 0 {
            let mut rest = dealer.block();
            rest.extend(bytes.get(whole..).unwrap_or_default());
            pending.truncate(whole);
            let bytes = pending.bytes();
            let count = memchr::memchr_iter(b'\n', bytes).count()
                + usize::from(bytes.last() != Some(&b'\n'));
            let count = u64::try_from(count).unwrap_or(0);
            let before = shape.clone();
            shape.take_header(bytes);
            let goes_on = dealer.deal(Chunk {
                file: Arc::clone(&file),
                first: line,
                lines: Lines::Whole {
                    block: pending,
                    shape: before,
                },
            });
            line += count;
            progress.lines(count);
            if !goes_on {
                return Ok(());
            }
            pending = rest;
        }
        if pending.bytes().len() > LINE_LIMIT && !skipping {
            pending.clear();
            skipping = true;
            let goes_on = dealer.deal(Chunk {
                file: Arc::clone(&file),
                first: line,
                lines: Lines::TooLong,
            });
            line += 1;
            if !goes_on {
                return Ok(());
            }
        }
        if at_end {
            return Ok(());
        }
        at_end = pending.fill(&mut reader, BLOCK, PIECE).map_err(unread)?;
    }
}

/// Returns how the lines of a log are read; `None` where the bytes do not tell.
fn shape_of(
    file: &str,
    bytes: &[u8],
    at_end: bool,
    settings: &Settings<'_>,
    progress: &mut impl Progress,
) -> Result<Option<Shape>, Failure> {
    let end = if at_end {
        bytes.len()
    } else {
        memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)
    };
    let lines: Vec<&str> = bytes
        .get(..end)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .filter_map(|line| core::str::from_utf8(line.trim_ascii_end()).ok())
        .filter(|line| !line.is_empty())
        .take(FIRST_LINES)
        .collect();
    if lines.is_empty() && !(at_end && settings.format.is_some()) {
        return Ok(None);
    }
    let told = settings
        .format
        .or_else(|| LogFormat::detect(&lines, settings.names));
    let Some(format) = told else {
        return Ok(None);
    };
    progress.form(file, format, settings.format.is_none())?;
    let shape = Shape::new(format, &lines, settings.names).map_err(|why| Failure::Usage {
        message: format!("{}: {why}", visible(file)),
        help: None,
    })?;
    Ok(Some(shape))
}

/// Returns how a log starts, for a message.
fn first_line(bytes: &[u8]) -> String {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(line.get(..line.len().min(400)).unwrap_or_default());
    format!(": `{}`", shortened(&visible(text.trim_end()), EXCERPT))
}

fn work(
    mut judge: Judge<'_>,
    lists: bool,
    chunks: &Receiver<Chunk>,
    sender: &SyncSender<Answers>,
    spent: &Sender<Block>,
) -> Tally {
    for Chunk { file, first, lines } in chunks {
        let mut answers = Answers::default();
        match lines {
            Lines::TooLong => {
                let why = format!("the line is longer than {LINE_LIMIT} bytes");
                answers.add(&file, first, b"", why.into());
            }
            Lines::Whole { block, mut shape } => {
                let mut number = first;
                let mut rest = block.bytes();
                while !rest.is_empty() {
                    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    let line = rest.get(..end).unwrap_or_default();
                    rest = rest.get(end + 1..).unwrap_or_default();
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    let listed = lists.then_some(&mut answers.listed);
                    if let Err(why) =
                        read_line(line, &mut shape, &mut judge, (&file, number), listed)
                    {
                        answers.add(&file, number, line, why);
                    }
                    number += 1;
                }
                // The reader may have ended.
                let _ = spent.send(block);
            }
        }
        if sender.send(answers).is_err() {
            break;
        }
    }
    judge.tally
}

fn read_line(
    line: &[u8],
    shape: &mut Shape,
    judge: &mut Judge<'_>,
    place: (&str, u64),
    listed: Option<&mut Vec<u8>>,
) -> Result<(), Unreadable> {
    if line.is_empty() || line.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let text = core::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let mut record = Record::default();
    match shape.read(text, &mut record)? {
        Line::Comment => Ok(()),
        Line::Request => judge.judge(&record, place, listed),
    }
}

impl Answers {
    fn add(&mut self, file: &Arc<str>, line: u64, bytes: &[u8], reason: Unreadable) {
        self.unreadable += 1;
        if self.bad.len() < BAD_LIMIT {
            let start = bytes
                .get(..bytes.len().min(4 * EXCERPT))
                .unwrap_or_default();
            let text = String::from_utf8_lossy(start);
            self.bad.push(BadLine {
                file: Arc::clone(file),
                line,
                reason: reason.into_owned(),
                excerpt: shown(&text, EXCERPT),
            });
        }
    }
}

/// Takes the answers in the order of their chunks until there are no more.
///
/// Asks the reader to stop where nobody reads the list any more, or too many lines are bad.
fn write(
    answers: &[Receiver<Answers>],
    mut list: impl Write,
    max_bad: Option<u64>,
    stop: &AtomicBool,
) -> (Run, io::Result<()>) {
    let mut run = Run::default();
    let mut written = Ok(());
    for judge in answers.iter().cycle() {
        let Ok(chunk) = judge.recv() else {
            break;
        };
        run.unreadable += chunk.unreadable;
        let room = BAD_LIMIT.saturating_sub(run.bad.len());
        run.bad.extend(chunk.bad.into_iter().take(room));
        if written.is_ok() {
            written = list.write_all(&chunk.listed);
        }
        if written.is_err() || max_bad.is_some_and(|max_bad| run.unreadable > max_bad) {
            stop.store(true, Ordering::Relaxed);
        }
    }
    (run, written.and_then(|()| list.flush()))
}

/// The mark of UTF-8, which is no part of a log.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// Chunks that wait for a judge, or for the writer.
const QUEUE: usize = 2;
/// Bytes of a read.
const BLOCK: usize = 512 << 10;
/// Bytes after which a slow source is not waited for.
const PIECE: usize = 256 << 10;
/// Bytes that are read to tell a log's form.
const FIRST: usize = 64 << 10;
/// Bytes after which it is given up to tell a log's form.
const FIRST_LIMIT: usize = 1 << 20;
/// Lines that are looked at to tell a log's form.
const FIRST_LINES: usize = 50;
/// Bytes of a line.
const LINE_LIMIT: usize = 1 << 20;
/// Unreadable lines that are shown.
const BAD_LIMIT: usize = 5;
/// Characters of an unreadable line that are shown.
const EXCERPT: usize = 80;
