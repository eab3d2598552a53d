//! Structures that look an address up, on one table, beside the engine deciding by that table.
//!
//! An answer is the value of the prefix that holds the address (0 where none does), except
//! where a contender can only tell less: see [`Answers`].

use core::fmt::Write;
use core::hint::black_box;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::{BitAnd, BitXor};

use portcullis::{Decision, Engine, Policy, Request};

use crate::alone::Look;
use crate::contender::{ALONE, BATCH, Built, Column, ENGINE, LOOP, Measured, TRIE, built};
use crate::measure::{Work, interleaved};
use crate::report::thousands;
use crate::tables::{self, Table, host_mask};
use crate::util::vector::{self, Level, Vectors};

/// The resource of every request, and the pattern of every statement: what is compared here is the address.
const RESOURCE: &str =
    "arn:aws:execute-api:eu-central-1:123456789012:a000000007/prod/GET/pets/beef/xxxxxxxx";
const PATTERN: &str = "arn:aws:execute-api:eu-central-1:123456789012:*";

/// So many addresses are looked for in every range of the table, one after the other.
const SCANNED: usize = 1_000;

/// Checks and times all contenders on `table`.
pub(crate) fn measure(table: &Table) -> Column {
    assert_naive(table);
    let (measured, class_bytes) = if table.v6 {
        contenders::<V6>(table)
    } else {
        contenders::<V4>(table)
    };
    Column {
        label: table.label.clone(),
        size: table.prefixes.len() as u64,
        about: format!(
            "{} prefixes, {} ranges when joined, {}",
            thousands(table.prefixes.len() as u64),
            thousands(table.ranges.len() as u64),
            match table.ranges.iter().map(|r| r.value).max() {
                Some(countries) if table.countries => format!("{countries} countries"),
                _ => "a block list".to_owned(),
            }
        ),
        class_bytes,
        measured,
    }
}

/// What a contender's answer says of a value.
#[derive(Clone, Copy)]
enum Answers {
    /// The value.
    Value,
    /// Whether the address is to be denied: a set has no values.
    Denied,
    /// The decision: 0 implicit deny, 1 allow, 2 explicit deny.
    Decision,
}

impl Answers {
    fn expected(self, table: &Table, value: u16) -> u16 {
        match (self, table.countries) {
            (Self::Value, _) | (Self::Denied, false) => value,
            (Self::Denied, true) => u16::from(is_denied(table, value)),
            (Self::Decision, false) => 1 + value,
            (Self::Decision, true) if value == 0 => 0,
            (Self::Decision, true) => 1 + u16::from(is_denied(table, value)),
        }
    }
}

fn is_denied(table: &Table, value: u16) -> bool {
    value > 0 && (!table.countries || value.is_multiple_of(2))
}

/// A family of addresses, in the types that the contenders take.
trait Family {
    type Bits: Copy
        + Ord
        + BitAnd<Output = Self::Bits>
        + BitXor<Output = Self::Bits>
        + poptrie::Address;
    type Look: Look<Bits = Self::Bits>;
    type Key: prefix_trie::Prefix + Copy;
    type Ip: Copy + Into<IpAddr> + treebitmap::address::Address + iprange::ToNetwork<Self::Net>;
    type Net: iprange::IpNet;
    fn bits(bits: u128) -> Self::Bits;
    /// A number in the upper and the lower half.
    fn spread(number: u16) -> Self::Bits;
    fn ip(bits: Self::Bits) -> Self::Ip;
    fn key(bits: Self::Bits, length: u8) -> Self::Key;
    fn net(bits: Self::Bits, length: u8) -> Self::Net;
    fn network(bits: Self::Bits, length: u8) -> ip_network::IpNetwork;
    const WIDTH: u8;
}

struct V4;

impl Family for V4 {
    type Bits = u32;
    type Look = crate::prefix::LookupV4;
    type Key = (u32, u8);
    type Ip = Ipv4Addr;
    type Net = ipnet::Ipv4Net;
    fn bits(bits: u128) -> u32 {
        bits as u32
    }
    fn spread(number: u16) -> u32 {
        u32::from(number) << 16 | u32::from(number)
    }
    fn ip(bits: u32) -> Ipv4Addr {
        bits.into()
    }
    fn key(bits: u32, length: u8) -> (u32, u8) {
        (bits, length)
    }
    fn net(bits: u32, length: u8) -> ipnet::Ipv4Net {
        ipnet::Ipv4Net::new_assert(bits.into(), length)
    }
    fn network(bits: u32, length: u8) -> ip_network::IpNetwork {
        ip_network::IpNetwork::new_truncate(Ipv4Addr::from(bits), length).expect("a valid prefix")
    }
    const WIDTH: u8 = 32;
}

struct V6;

impl Family for V6 {
    type Bits = u128;
    type Look = crate::prefix::LookupV6;
    type Key = (u128, u8);
    type Ip = Ipv6Addr;
    type Net = ipnet::Ipv6Net;
    fn bits(bits: u128) -> u128 {
        bits
    }
    fn spread(number: u16) -> u128 {
        u128::from(number) << 112 | u128::from(number) << 80 | u128::from(number)
    }
    fn ip(bits: u128) -> Ipv6Addr {
        bits.into()
    }
    fn key(bits: u128, length: u8) -> (u128, u8) {
        (bits, length)
    }
    fn net(bits: u128, length: u8) -> ipnet::Ipv6Net {
        ipnet::Ipv6Net::new_assert(bits.into(), length)
    }
    fn network(bits: u128, length: u8) -> ip_network::IpNetwork {
        ip_network::IpNetwork::new_truncate(Ipv6Addr::from(bits), length).expect("a valid prefix")
    }
    const WIDTH: u8 = 128;
}

/// Collects contenders, and drops those whose answers are wrong.
struct Field<'a, F: Family> {
    table: &'a Table,
    questions: &'a [F::Bits],
    measured: Vec<Measured>,
    works: Vec<Box<dyn Work + 'a>>,
    /// For each of `works` the row, and whether it is a latency.
    rows: Vec<(usize, bool)>,
}

impl<'a, F: Family> Field<'a, F> {
    fn add(
        &mut self,
        name: &'static str,
        built: Option<Built>,
        answers: Answers,
        answer: impl Fn(F::Bits) -> u16 + Clone + 'a,
    ) {
        let questions = self.questions;
        let latency = Box::new(latency::<F>(questions, answer.clone()));
        let throughput = Box::new(throughput::<F>(questions, answer.clone()));
        self.add_works(name, built, answers, answer, [latency, throughput]);
    }

    /// Adds the look-up alone, which is timed at giving the numbers of classes, and compiled for what
    /// the processor has, as it is where decisions are made.
    fn add_alone(
        &mut self,
        built: Option<Built>,
        value: impl Fn(F::Bits) -> u16,
        class: impl Fn(F::Bits) -> u16 + Clone + 'a,
    ) {
        let questions = self.questions;
        let latency = Box::new(at_level(latency::<F>(questions, class.clone())));
        let throughput = Box::new(at_level(throughput::<F>(questions, class)));
        self.add_works(ALONE, built, Answers::Value, value, [latency, throughput]);
    }

    fn add_works(
        &mut self,
        name: &'static str,
        built: Option<Built>,
        answers: Answers,
        answer: impl Fn(F::Bits) -> u16,
        [latency, throughput]: [Box<dyn Work + 'a>; 2],
    ) {
        let row = self.row(name, built);
        let wrong = self
            .table
            .addresses
            .iter()
            // The loop cannot be waited for any longer.
            .take(if name == LOOP { SCANNED } else { usize::MAX })
            .filter(|&&address| {
                let value = tables::value(&self.table.ranges, address);
                answer(F::bits(address)) != answers.expected(self.table, value)
            })
            .count();
        if wrong > 0 {
            self.refuse(row, format!("{wrong} wrong answers"));
            return;
        }
        self.works.extend([latency, throughput]);
        self.rows.extend([(row, true), (row, false)]);
    }

    fn row(&mut self, name: &'static str, built: Option<Built>) -> usize {
        self.measured.push(Measured {
            name,
            latency: None,
            throughput: None,
            built,
            spread: 0.0,
            refused: None,
        });
        self.measured.len() - 1
    }

    fn refuse(&mut self, row: usize, reason: String) {
        assert!(
            !self.measured[row].name.contains("portcullis"),
            "{}: {reason}",
            self.measured[row].name
        );
        self.measured[row].refused = Some(reason);
    }

    fn measure(mut self) -> Vec<Measured> {
        for (timed, (row, is_latency)) in interleaved(&mut self.works).into_iter().zip(self.rows) {
            let measured = &mut self.measured[row];
            measured.spread = measured.spread.max(timed.spread);
            *(if is_latency {
                &mut measured.latency
            } else {
                &mut measured.throughput
            }) = Some(timed.median);
        }
        self.measured
    }
}

/// Each question takes bits of the answer before it (always 0, which only we know): in its upper
/// and its lower half, so that nobody starts on a part that does not wait.
fn latency<'a, F: Family>(
    questions: &'a [F::Bits],
    answer: impl Fn(F::Bits) -> u16 + 'a,
) -> impl FnMut(usize) + 'a {
    let (mut at, zero) = (0, black_box(0_u16));
    #[inline(always)]
    move |count| {
        let mut last = 0_u16;
        in_turn(
            questions,
            &mut at,
            count,
            #[inline(always)]
            |bits| {
                last = answer(bits ^ F::spread(last & zero));
            },
        );
        black_box(last);
    }
}

fn throughput<'a, F: Family>(
    questions: &'a [F::Bits],
    answer: impl Fn(F::Bits) -> u16 + 'a,
) -> impl FnMut(usize) + 'a {
    let mut at = 0;
    #[inline(always)]
    move |count| {
        let mut sum = 0_u64;
        in_turn(
            questions,
            &mut at,
            count,
            #[inline(always)]
            |bits| sum += u64::from(answer(bits)),
        );
        black_box(sum);
    }
}

/// Compiles `ask` for what the processor has.
fn at_level(mut ask: impl FnMut(usize)) -> impl FnMut(usize) {
    let level = Level::detect();
    move |count| level.run(Repeat(&mut ask, count))
}

/// Something to be done so often, compiled for each level.
struct Repeat<'a, F>(&'a mut F, usize);

impl<F: FnMut(usize)> vector::Work for Repeat<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vectors>(self) {
        self.0(self.1);
    }
}

/// Asks `count` questions from `at` on, over and over; by slices, so that the loop over them keeps
/// no index in memory and checks none.
#[inline(always)]
fn in_turn<T: Copy>(questions: &[T], at: &mut usize, mut count: usize, mut ask: impl FnMut(T)) {
    while count > 0 {
        let rest = questions.get(*at..).unwrap_or_default();
        let taken = rest.get(..count).unwrap_or(rest);
        for &question in taken {
            ask(question);
        }
        count -= taken.len();
        *at = (*at + taken.len()) % questions.len();
    }
}

fn contenders<F: Family + 'static>(table: &Table) -> (Vec<Measured>, Option<u64>) {
    let questions: Vec<F::Bits> = table.addresses.iter().map(|&a| F::bits(a)).collect();
    let prefixes: Vec<(F::Bits, u8, u16)> = table
        .prefixes
        .iter()
        .map(|p| (F::bits(p.first), p.length, p.value))
        .collect();

    let json = policy(table);
    let (engine, mut engine_built) = built(|| engine(&json));
    // A build has threads of its own, whose allocations are not counted here; what is left is the image.
    engine_built.bytes = engine.image().len();
    let (alone, alone_built) = built(|| F::Look::new(table));
    let (linear, linear_built) = built(|| Linear::<F>::new(table));
    let (sorted, sorted_built) = built(|| Sorted::<F>::new(table));
    let (trie, trie_built) = built(|| {
        let mut trie = prefix_trie::PrefixMap::new();
        for &(first, length, value) in &prefixes {
            trie.insert(F::key(first, length), value);
        }
        trie
    });
    let (poptrie, poptrie_built) = built(|| {
        let items = prefixes
            .iter()
            .map(|&(first, length, value)| ((first, length), value));
        items.collect::<poptrie::Poptrie<(F::Bits, u8), u16>>()
    });
    let (bitmap, bitmap_built) = built(|| {
        let mut bitmap = treebitmap::IpLookupTable::new();
        for &(first, length, value) in &prefixes {
            bitmap.insert(F::ip(first), u32::from(length), value);
        }
        bitmap
    });
    let (network, network_built) = built(|| {
        let mut network = ip_network_table::IpNetworkTable::new();
        for &(first, length, value) in &prefixes {
            network.insert(F::network(first, length), value);
        }
        network
    });
    let (range, range_built) = built(|| {
        let mut range = iprange::IpRange::<F::Net>::new();
        for &(first, length, value) in &prefixes {
            if is_denied(table, value) {
                range.add(F::net(first, length));
            }
        }
        range.simplify();
        range
    });

    let view = alone.view();
    let mut field = Field::<F> {
        table,
        questions: &questions,
        measured: Vec::new(),
        works: Vec::new(),
        rows: Vec::new(),
    };
    field.add(
        ENGINE,
        Some(engine_built),
        Answers::Decision,
        #[inline(always)]
        |bits| {
            let ip: IpAddr = F::ip(bits).into();
            decision(engine.decide(&Request::invoke(ip, RESOURCE)))
        },
    );
    let row = field.row(BATCH, None);
    field.works.push(Box::new(batch::<F>(&questions, &engine)));
    field.rows.push((row, false));
    let (alone_built, view) = (Some(alone_built), &view);
    field.add_alone(
        alone_built,
        |bits| view.value(bits),
        #[inline(always)]
        |bits| view.class(bits),
    );
    field.add(
        "sorted ranges, binary search",
        Some(sorted_built),
        Answers::Value,
        #[inline(always)]
        |bits| sorted.value(bits),
    );
    field.add(
        TRIE,
        Some(trie_built),
        Answers::Value,
        #[inline(always)]
        |bits| {
            let longest = trie.get_lpm(&F::key(bits, F::WIDTH));
            longest.map_or(0, |(_, &value)| value)
        },
    );
    field.add(
        "poptrie 0.2",
        Some(poptrie_built),
        Answers::Value,
        #[inline(always)]
        |bits| poptrie.lookup(bits).copied().unwrap_or(0),
    );
    field.add(
        "treebitmap 0.5",
        Some(bitmap_built),
        Answers::Value,
        #[inline(always)]
        |bits| {
            let longest = bitmap.longest_match(F::ip(bits));
            longest.map_or(0, |(_, _, &value)| value)
        },
    );
    field.add(
        "ip_network_table 0.2",
        Some(network_built),
        Answers::Value,
        #[inline(always)]
        |bits| {
            let longest = network.longest_match(F::ip(bits));
            longest.map_or(0, |(_, &value)| value)
        },
    );
    field.add(
        "iprange 0.6",
        Some(range_built),
        Answers::Denied,
        #[inline(always)]
        |bits| u16::from(range.contains(&F::ip(bits))),
    );
    field.add(
        LOOP,
        Some(linear_built),
        Answers::Value,
        #[inline(always)]
        |bits| linear.value(bits),
    );
    let inspection = engine.inspect();
    let classes = inspection.sections().iter().find(|s| s.name == "classes");
    (field.measure(), classes.map(|section| section.bytes))
}

fn engine(json: &str) -> Engine {
    let policy = Policy::from_json(json).expect("generated policies parse");
    Engine::builder()
        .policy(policy)
        .build()
        .expect("generated policies build")
}

fn decision(decision: Decision) -> u16 {
    match decision {
        Decision::ImplicitDeny => 0,
        Decision::Allow => 1,
        Decision::ExplicitDeny => 2,
    }
}

/// Requests made and decided 256 at a time.
fn batch<'a, F: Family>(questions: &'a [F::Bits], engine: &'a Engine) -> impl FnMut(usize) + 'a {
    let mut chunks = questions.chunks(256).cycle();
    move |count| {
        let mut requests = Vec::with_capacity(256);
        let mut decisions = [Decision::Allow; 256];
        for _ in 0..count.div_ceil(256) {
            let chunk = chunks.next().unwrap_or_default();
            let chunk = &chunk[..chunk.len().min(count)];
            requests.clear();
            requests.extend(chunk.iter().map(|&bits| {
                let ip: IpAddr = F::ip(bits).into();
                Request::invoke(ip, RESOURCE)
            }));
            engine.decide_batch(&requests, &mut decisions);
            black_box(&decisions);
        }
    }
}

/// The table as a policy: everyone is allowed but those listed, or by countries.
fn policy(table: &Table) -> String {
    let head = format!(r#""Principal":"*","Action":"execute-api:Invoke","Resource":"{PATTERN}""#);
    let mut json = String::from(r#"{"Version":"2012-10-17","Statement":["#);
    if !table.countries {
        write!(json, r#"{{"Effect":"Allow",{head}}},"#).unwrap();
    }
    let mut prefixes = table.prefixes.clone();
    prefixes.sort_by_key(|prefix| prefix.value);
    for group in prefixes.chunk_by(|a, b| a.value == b.value) {
        let effect = if is_denied(table, group[0].value) {
            "Deny"
        } else {
            "Allow"
        };
        write!(
            json,
            r#"{{"Effect":"{effect}",{head},"Condition":{{"IpAddress":{{"aws:SourceIp":["#
        )
        .unwrap();
        for prefix in group {
            write!(json, "\"{}/{}\",", table.ip(prefix.first), prefix.length).unwrap();
        }
        json.pop();
        json.push_str("]}}},");
    }
    json.pop();
    json.push_str("]}");
    json
}

/// What one would write first: every prefix, one after the other.
struct Linear<F: Family> {
    prefixes: Vec<(F::Bits, F::Bits, u16)>,
}

impl<F: Family> Linear<F> {
    fn new(table: &Table) -> Self {
        let prefixes = table.prefixes.iter().map(|prefix| {
            let mask = !host_mask(table.v6, prefix.length);
            (F::bits(prefix.first), F::bits(mask), prefix.value)
        });
        Self {
            prefixes: prefixes.collect(),
        }
    }

    fn value(&self, bits: F::Bits) -> u16 {
        self.prefixes
            .iter()
            .find(|&&(first, mask, _)| bits & mask == first)
            .map_or(0, |&(_, _, value)| value)
    }
}

/// What one would write next: disjoint ranges, searched by halves.
struct Sorted<F: Family> {
    firsts: Vec<F::Bits>,
    lasts: Vec<(F::Bits, u16)>,
}

impl<F: Family> Sorted<F> {
    fn new(table: &Table) -> Self {
        let ranges = &table.ranges;
        Self {
            firsts: ranges.iter().map(|r| F::bits(r.first)).collect(),
            lasts: ranges.iter().map(|r| (F::bits(r.last), r.value)).collect(),
        }
    }

    fn value(&self, bits: F::Bits) -> u16 {
        let after = self.firsts.partition_point(|&first| first <= bits);
        match after.checked_sub(1).map(|at| self.lasts[at]) {
            Some((last, value)) if bits <= last => value,
            _ => 0,
        }
    }
}

/// Compares what all contenders are held to with a scan of every prefix.
fn assert_naive(table: &Table) {
    let scanned = &table.addresses[..SCANNED];
    for &address in scanned {
        let naive = table
            .prefixes
            .iter()
            .find(|p| address & !host_mask(table.v6, p.length) == p.first)
            .map_or(0, |p| p.value);
        assert_eq!(
            tables::value(&table.ranges, address),
            naive,
            "{}",
            table.ip(address)
        );
    }
    let hits = scanned
        .iter()
        .filter(|&&a| tables::value(&table.ranges, a) > 0)
        .count();
    assert_eq!(hits, SCANNED / 2);
}
