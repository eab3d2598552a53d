//! What is said of a request, and the requests that its lists make.

use portcullis::Request;

use crate::args::{ApiArgs, Format, PolicyArgs, QuestionArgs};

/// What a case or the defaults say of a request; `None` where they say nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) source_ip: Option<Vec<Option<String>>>,
    pub(super) method: Option<Vec<String>>,
    pub(super) path: Option<Vec<String>>,
    pub(super) stage: Option<Vec<String>>,
    pub(super) resource: Option<Vec<String>>,
    pub(super) action: Option<Vec<String>>,
    pub(super) principal: Option<Vec<Option<String>>>,
    /// Keys with their values; no values take a default away.
    pub(super) context: Vec<(String, Vec<String>)>,
    pub(super) partition: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    pub(super) api_id: Option<String>,
}

impl Fields {
    /// Returns these fields, and those of `defaults` where there is none.
    pub(super) fn or(self, defaults: &Self) -> Self {
        let mut defaults = defaults.clone();
        if self.resource.is_some() {
            defaults.method = None;
            defaults.path = None;
            defaults.stage = None;
        }
        if self.method.is_some() || self.path.is_some() || self.stage.is_some() {
            defaults.resource = None;
        }
        let mut context = defaults.context;
        context.retain(|(key, _)| {
            let same = |(own, _): &(String, Vec<String>)| own.eq_ignore_ascii_case(key);
            !self.context.iter().any(same)
        });
        context.extend(self.context);
        Self {
            source_ip: self.source_ip.or(defaults.source_ip),
            method: self.method.or(defaults.method),
            path: self.path.or(defaults.path),
            stage: self.stage.or(defaults.stage),
            resource: self.resource.or(defaults.resource),
            action: self.action.or(defaults.action),
            principal: self.principal.or(defaults.principal),
            context,
            partition: self.partition.or(defaults.partition),
            region: self.region.or(defaults.region),
            account: self.account.or(defaults.account),
            api_id: self.api_id.or(defaults.api_id),
        }
    }

    /// Returns how many requests the lists make; saturating.
    pub(super) fn count(&self) -> usize {
        let length = |list: &Option<Vec<String>>| list.as_ref().map_or(1, Vec::len);
        let texts = [
            &self.method,
            &self.path,
            &self.stage,
            &self.resource,
            &self.action,
        ];
        let others = [&self.source_ip, &self.principal];
        let others = others.map(|list| list.as_ref().map_or(1, Vec::len));
        (texts.map(length).into_iter().chain(others)).fold(1, usize::saturating_mul)
    }

    /// Returns the requests that the lists make, the source address changing fastest.
    pub(super) fn requests(self) -> Vec<QuestionArgs> {
        let context = (self.context.iter())
            .flat_map(|(key, values)| values.iter().map(move |value| format!("{key}={value}")))
            .collect();
        let mut requests = vec![QuestionArgs {
            policies: PolicyArgs {
                files: Vec::new(),
                kind: None,
            },
            source_ip: None,
            method: None,
            path: None,
            stage: None,
            resource: None,
            action: Request::INVOKE.to_owned(),
            principal: None,
            context,
            api: ApiArgs {
                partition: self.partition,
                region: self.region,
                account: self.account,
                api_id: self.api_id,
            },
            format: Format::Human,
        }];
        cross(&mut requests, self.principal, |args, value| {
            args.principal = value
        });
        cross(&mut requests, self.action, |args, value| {
            args.action = value
        });
        cross(&mut requests, self.stage, |args, value| {
            args.stage = Some(value)
        });
        cross(&mut requests, self.resource, |args, value| {
            args.resource = Some(value)
        });
        cross(&mut requests, self.path, |args, value| {
            args.path = Some(value)
        });
        cross(&mut requests, self.method, |args, value| {
            args.method = Some(value)
        });
        cross(&mut requests, self.source_ip, |args, value| {
            args.source_ip = value
        });
        requests
    }
}

/// Makes of every request as many as there are values.
fn cross<T: Clone>(
    requests: &mut Vec<QuestionArgs>,
    values: Option<Vec<T>>,
    set: impl Fn(&mut QuestionArgs, T),
) {
    let Some(values) = values else { return };
    let mut crossed = Vec::with_capacity(requests.len() * values.len());
    for request in requests.drain(..) {
        for value in &values {
            let mut request = request.clone();
            set(&mut request, value.clone());
            crossed.push(request);
        }
    }
    *requests = crossed;
}
