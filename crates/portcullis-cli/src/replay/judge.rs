//! A line's request, decided by the policies now and before, and counted.
//!
//! Lines of one API and stage share the start of their resources, so each thread keeps the
//! engines bound to the starts it has seen. Short-hand resources belong to the API of the
//! line: such policies are compiled for each API, and the threads share what is built.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use core::fmt::Write;
use core::net::IpAddr;

use portcullis::decision::Determining;
use portcullis::{Api, Decision, Engine, Explanation, Principal, Request, Scope, Value};
use serde::Serialize;

use super::ask::{Ask, Asking, CURRENT_TIME, EPOCH_TIME, Start, USER_AGENT};
use super::record::{Record, Unreadable};
use super::tally::{Cause, Outcome, Prefix, Tally};
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy, has_short_hand};

/// The policies, compiled.
#[derive(Debug)]
pub(crate) struct Judges {
    /// The policies that decide.
    pub(crate) now: Vec<LoadedPolicy>,
    /// Those of before; empty where none were given.
    pub(crate) before: Vec<LoadedPolicy>,
    engines: Engines,
}

#[derive(Debug)]
enum Engines {
    /// No short-hand: one pair for all requests.
    One(Box<Pair>),
    /// Short-hand: a pair for each API.
    ByApi(Mutex<HashMap<String, Built>>),
}

type Built = Result<Arc<Pair>, Arc<str>>;

/// The engines of now and before.
#[derive(Debug)]
struct Pair {
    now: Engine,
    before: Option<Engine>,
}

impl Judges {
    /// Compiles the policies.
    pub(crate) fn new(now: Vec<LoadedPolicy>, before: Vec<LoadedPolicy>) -> Result<Self, Failure> {
        let has_short_hand = now
            .iter()
            .chain(&before)
            .any(|loaded| has_short_hand(&loaded.policy));
        let engines = if has_short_hand {
            Engines::ByApi(Mutex::default())
        } else {
            Engines::One(Box::new(Pair::build(&now, &before)?))
        };
        Ok(Self {
            now,
            before,
            engines,
        })
    }

    /// Returns a statement's policy and name.
    pub(crate) fn statement(&self, cause: Cause) -> (&str, Option<&str>) {
        let policies = if cause.is_before {
            &self.before
        } else {
            &self.now
        };
        let Some(loaded) = policies.get(cause.policy) else {
            return ("", None);
        };
        let statement = loaded.policy.statements().get(cause.statement);
        let sid = statement.and_then(|statement| statement.sid.as_ref());
        (&loaded.file, sid.map(|sid| &*sid.value))
    }

    /// Returns the engines of an API; `start` is that of the ARNs of one of its stages.
    fn of_api(&self, apis: &Mutex<HashMap<String, Built>>, start: &str) -> Built {
        let mut apis = apis.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = apis.get(start) {
            return built.clone();
        }
        if apis.len() >= API_LIMIT {
            apis.clear();
        }
        let built = Api::from_arn(start)
            .ok_or_else(|| Arc::from("the API is none that short-hand resources could belong to"))
            .and_then(|api| {
                let expanded = |policies: &[LoadedPolicy]| {
                    let mut policies = policies.to_vec();
                    policies::expand(&mut policies, &api);
                    policies
                };
                Pair::build(&expanded(&self.now), &expanded(&self.before)).map_err(|failure| {
                    match failure {
                        Failure::Build { message, .. } => Arc::from(message),
                        _ => Arc::from("the policies do not compile for this API"),
                    }
                })
            })
            .map(Arc::new);
        apis.insert(start.to_owned(), built.clone());
        built
    }

    fn statements(&self) -> usize {
        let all = self.now.iter().chain(&self.before);
        all.map(|loaded| loaded.policy.statements().len()).sum()
    }
}

impl Pair {
    fn build(now: &[LoadedPolicy], before: &[LoadedPolicy]) -> Result<Self, Failure> {
        Ok(Self {
            now: policies::build(now)?,
            before: (!before.is_empty())
                .then(|| policies::build(before))
                .transpose()?,
        })
    }
}

/// Decides and counts; each thread has its own.
pub(crate) struct Judge<'e> {
    judges: &'e Judges,
    asking: &'e Asking,
    /// What was counted.
    pub(crate) tally: Tally,
    /// The engines bound to starts, the last used first.
    scopes: Vec<Scoped<'e>>,
    /// The last API's engines, where policies have short-hand.
    last: Option<(String, Arc<Pair>)>,
    /// Causes by request: of those that are denied, many come again.
    causes: HashMap<Box<str>, Causes>,
    /// One in so many changed requests is explained, where they are not listed.
    stride: u64,
    start: Start,
    text: String,
    key: String,
}

/// The statements that caused the decisions about a request.
#[derive(Clone, Debug, Default)]
struct Causes {
    now: Box<[Cause]>,
    /// `None` where nobody asked for them.
    before: Option<Box<[Cause]>>,
}

struct Scoped<'e> {
    start: String,
    now: Scope<'e>,
    before: Option<Scope<'e>>,
}

impl<'e> Judge<'e> {
    /// Returns a judge that has counted nothing.
    pub(crate) fn new(judges: &'e Judges, asking: &'e Asking) -> Self {
        Self {
            judges,
            asking,
            tally: Tally::default(),
            scopes: Vec::new(),
            last: None,
            causes: HashMap::new(),
            stride: u64::try_from(judges.statements() / EXPLAINED)
                .map_or(1, |stride| stride.max(1)),
            start: Start::default(),
            text: String::new(),
            key: String::new(),
        }
    }

    /// Decides about a record, counts it, and appends it to `changed` if it is to be listed.
    pub(crate) fn judge(
        &mut self,
        record: &Record<'_>,
        place: (&str, u64),
        changed: Option<&mut Vec<u8>>,
    ) -> Result<(), Unreadable> {
        let mut start = core::mem::take(&mut self.start);
        let asked = self.asking.read(record, &mut start);
        let answer = asked.and_then(|ask| {
            let start = start.text();
            let outcome = self.decide(&ask, start)?;
            self.tally.count(outcome);
            self.tally.templates += u64::from(ask.is_template);
            if outcome.is_listed() {
                self.detail(&ask, start, outcome, changed.is_some());
                if let Some(changed) = changed {
                    let causes = self.causes.get(&*self.key);
                    self.write_changed(&ask, start, outcome, place, causes, changed);
                }
            }
            Ok(())
        });
        self.start = start;
        answer
    }

    fn decide(&mut self, ask: &Ask<'_>, start: &str) -> Result<Outcome, Unreadable> {
        let judges = self.judges;
        match &judges.engines {
            Engines::One(pair) => {
                if let Some(scoped) = self.scope(pair, start) {
                    return with_request(ask, ask.path, |request| {
                        let decide = |scope: &Scope<'_>| scope.decide_method(ask.method, request);
                        Ok(Outcome::new(
                            scoped.before.as_ref().map(decide),
                            decide(&scoped.now),
                        ))
                    });
                }
                self.join(ask, start);
                Ok(whole(pair, ask, &self.text))
            }
            Engines::ByApi(apis) => {
                let api = start
                    .get(..start.len().saturating_sub(1))
                    .and_then(|start| start.rfind('/'))
                    .and_then(|end| start.get(..=end))
                    .unwrap_or(start);
                if self.last.as_ref().is_none_or(|(last, _)| last != api) {
                    let pair = self
                        .judges
                        .of_api(apis, api)
                        .map_err(|why| Unreadable::Owned(why.to_string()))?;
                    self.last = Some((api.to_owned(), pair));
                }
                self.join(ask, start);
                let Some((_, pair)) = &self.last else {
                    return Err("the policies are not compiled".into());
                };
                Ok(whole(pair, ask, &self.text))
            }
        }
    }

    /// Returns the engines bound to a start; `None` where they cannot be.
    fn scope(&mut self, pair: &'e Pair, start: &str) -> Option<&Scoped<'e>> {
        let known = self.scopes.iter().position(|scoped| scoped.start == start);
        match known {
            Some(0) => {}
            Some(place) => self.scopes.swap(0, place),
            None => {
                // Logs of very many stages would bind engines for each line.
                if self.scopes.len() >= SCOPE_LIMIT {
                    return None;
                }
                let scoped = Scoped {
                    now: pair.now.scope(start).ok()?,
                    before: match &pair.before {
                        Some(before) => Some(before.scope(start).ok()?),
                        None => None,
                    },
                    start: start.to_owned(),
                };
                self.scopes.push(scoped);
                let last = self.scopes.len() - 1;
                self.scopes.swap(0, last);
            }
        }
        self.scopes.first()
    }

    /// Writes the resource into `self.text`.
    fn join(&mut self, ask: &Ask<'_>, start: &str) {
        self.text.clear();
        for piece in [start, ask.method, "/", ask.path] {
            self.text.push_str(piece);
        }
    }

    /// Counts where a listed request came from, what it called, and which statements caused its outcome.
    ///
    /// Those are then in `self.causes` under `self.key`, for one request in so many, or if it `is_told`.
    fn detail(&mut self, ask: &Ask<'_>, start: &str, outcome: Outcome, is_told: bool) {
        let number = self.tally.of(outcome);
        // What is asked, whole: equal keys have equal causes. The time is in none of them.
        let mut key = core::mem::take(&mut self.key);
        key.clear();
        // None of it has a zero in it but for strange user agents, for which the length tells.
        let agent = ask.user_agent.unwrap_or_default();
        // Writing to a String does not fail.
        let _ = write!(key, "{} {}\0{agent}\0", outcome.number(), agent.len());
        let caller = match ask.principal {
            Principal::Aws(arn) => arn,
            // No log tells of others.
            _ => "",
        };
        for piece in [caller, "\0", start, ask.method, "/", ask.path, "\0"] {
            key.push_str(piece);
        }
        let _ = write!(key, "{}", ask.ip);
        let is_explained = is_told || number.is_multiple_of(self.stride);
        let is_known = ask.time.is_none() && self.causes.contains_key(&*key);
        if is_explained && !is_known {
            let causes = self.explain(ask, start, outcome, is_told);
            if self.causes.len() >= CAUSE_LIMIT {
                self.causes.clear();
            }
            self.causes.insert(key.as_str().into(), causes);
        }
        if let Some(group) = self.tally.group_mut(outcome) {
            group.prefixes.count(&Prefix::of(ask.ip));
            self.text.clear();
            for piece in [ask.method, " /", ask.path] {
                self.text.push_str(piece);
            }
            group.resources.count(cut(&self.text, RESOURCE_LIMIT));
            if is_explained {
                group.explained += 1;
                for &cause in self.causes.get(&*key).into_iter().flat_map(Causes::counted) {
                    *group.statements.entry(cause).or_default() += 1;
                }
            }
        }
        self.key = key;
    }

    /// Returns the statements that caused an outcome; those of before too if that is to be told, or if
    /// nothing matches any more.
    fn explain(&mut self, ask: &Ask<'_>, start: &str, outcome: Outcome, is_told: bool) -> Causes {
        self.join(ask, start);
        let pair: &Pair = match (&self.judges.engines, &self.last) {
            (Engines::One(pair), _) => pair,
            (Engines::ByApi(_), Some((_, pair))) => pair,
            (Engines::ByApi(_), None) => return Causes::default(),
        };
        let causes = |engine: &Engine, is_before: bool| -> Box<[Cause]> {
            let Explanation { determining, .. } =
                with_request(ask, &self.text, |request| engine.explain(request));
            let cause = |determining: &Determining| Cause {
                is_before,
                policy: determining.policy,
                statement: determining.statement,
            };
            determining.iter().map(cause).collect()
        };
        let is_silent = outcome.now() == Decision::ImplicitDeny;
        let before = pair.before.as_ref().filter(|_| is_told || is_silent);
        Causes {
            now: if is_silent {
                Box::default()
            } else {
                causes(&pair.now, false)
            },
            before: before.map(|before| causes(before, true)),
        }
    }

    /// Appends a listed request as a JSON line.
    fn write_changed(
        &self,
        ask: &Ask<'_>,
        start: &str,
        outcome: Outcome,
        (file, line): (&str, u64),
        causes: Option<&Causes>,
        changed: &mut Vec<u8>,
    ) {
        #[derive(Serialize)]
        struct Changed<'a> {
            file: &'a str,
            line: u64,
            source_ip: IpAddr,
            method: &'a str,
            path: String,
            resource: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            before: Option<&'static str>,
            decision: &'static str,
            determining: Vec<Named<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            determining_before: Option<Vec<Named<'a>>>,
        }
        #[derive(Serialize)]
        struct Named<'a> {
            policy: &'a str,
            statement: usize,
            sid: Option<&'a str>,
        }
        let named = |causes: &[Cause]| -> Vec<Named<'_>> {
            let name = |&cause: &Cause| {
                let (policy, sid) = self.judges.statement(cause);
                Named {
                    policy,
                    statement: cause.statement,
                    sid,
                }
            };
            causes.iter().map(name).collect()
        };
        let changed_request = Changed {
            file,
            line,
            source_ip: ask.ip,
            method: ask.method,
            path: format!("/{}", ask.path),
            resource: format!("{start}{}/{}", ask.method, ask.path),
            before: outcome.before().map(Decision::as_str),
            decision: outcome.now().as_str(),
            determining: causes.map(|causes| named(&causes.now)).unwrap_or_default(),
            determining_before: causes.and_then(|causes| causes.before.as_deref().map(named)),
        };
        // Neither texts nor numbers fail to be written to memory.
        let _ = serde_json::to_writer(&mut *changed, &changed_request);
        changed.push(b'\n');
    }
}

impl Causes {
    /// Returns those that an outcome is counted by: those of now, or where nothing matches any more, those
    /// of before that did.
    fn counted(&self) -> &[Cause] {
        match &self.before {
            Some(before) if self.now.is_empty() => before,
            _ => &self.now,
        }
    }
}

/// Decides by engines that are bound to nothing.
fn whole(pair: &Pair, ask: &Ask<'_>, resource: &str) -> Outcome {
    with_request(ask, resource, |request| {
        Outcome::new(
            pair.before.as_ref().map(|before| before.decide(request)),
            pair.now.decide(request),
        )
    })
}

/// Calls `decide` with the library's request.
fn with_request<T>(ask: &Ask<'_>, resource: &str, decide: impl FnOnce(&Request<'_>) -> T) -> T {
    let (iso, epoch) = match &ask.time {
        Some((iso, epoch)) => (iso.as_str(), epoch.as_str()),
        None => ("", ""),
    };
    // An empty text is an absent key.
    let context = [
        (USER_AGENT, Value::Text(ask.user_agent.unwrap_or(""))),
        (CURRENT_TIME, Value::Text(iso)),
        (EPOCH_TIME, Value::Text(epoch)),
    ];
    decide(
        &Request::invoke(ask.ip, resource)
            .with_principal(ask.principal)
            .with_context(&context),
    )
}

/// Returns a text, or as much of it as `limit` bytes hold.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

/// APIs that policies with short-hand are compiled for at a time.
const API_LIMIT: usize = 64;
/// Starts that a thread keeps bound engines for.
const SCOPE_LIMIT: usize = 64;
/// Requests of which a thread remembers the causes.
const CAUSE_LIMIT: usize = 1 << 14;
/// Statements of policies of which every listed request is explained.
const EXPLAINED: usize = 256;
/// Bytes of a resource that is counted.
const RESOURCE_LIMIT: usize = 256;
