//! Engines of policies.

use core::mem::take;
use std::sync::Mutex;

use super::Engine;
use crate::image::{self, Config, Loaded};
use crate::ir::{self, BuildError, BuildErrorKind};
use crate::policy::{Policy, PolicyKind};
use crate::request::Api;
use crate::util::beside::both;

impl Engine {
    /// Starts with no policies.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Collects policies for an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    policies: Vec<Policy>,
    /// What is wrong already.
    refused: Option<BuildError>,
    api: Option<Api>,
    config: Config,
}

impl Builder {
    /// Adds a policy of either kind.
    ///
    /// Policies count in the order they are added; an allow needs one statement of any of
    /// them that allows and none in all of them that denies.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Adds a policy that is attached to the API; [`Self::build`] refuses one of the other kind.
    #[must_use]
    pub fn resource_policy(self, policy: Policy) -> Self {
        self.policy_of(PolicyKind::Resource, policy)
    }

    /// Adds a policy that is attached to the caller of every request this engine is asked
    /// about; [`Self::build`] refuses one of the other kind.
    #[must_use]
    pub fn identity_policy(self, policy: Policy) -> Self {
        self.policy_of(PolicyKind::Identity, policy)
    }

    fn policy_of(mut self, expected: PolicyKind, policy: Policy) -> Self {
        if policy.kind() != expected {
            let policy = self.policies.len();
            let kind = BuildErrorKind::Kind { policy, expected };
            self.refused.get_or_insert(BuildError { kind });
        }
        self.policy(policy)
    }

    /// Sets the API that short-hand resources (`execute-api:/stage/METHOD/path`) belong to.
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// Sets limits and strategy.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Compiles the policies.
    ///
    /// # Errors
    ///
    /// A policy of the other kind than it was given as, a short-hand resource without [`Self::api`], more policy variables in one text than
    /// the engine resolves, or a limit of [`Config`] passed.
    pub fn build(mut self) -> Result<Engine, BuildError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        if let Some(api) = &self.api {
            for policy in &mut self.policies {
                if policy.short_hand().is_some() {
                    *policy = policy.with_short_hand_expanded(api);
                }
            }
        }
        let rules = ir::lower(&self.policies, self.config.statement_limit)?;
        let many = rules.rules.len() >= BESIDE_FROM;
        let tables = image::build(&rules, &self.config)?;
        drop(rules);
        // Policies of many statements take as long to be freed as tables to be laid out.
        let policies = Mutex::new(self.policies);
        let free = || {
            drop(policies.lock().map(|mut policies| take(&mut *policies)));
            Ok(())
        };
        let limit = self.config.image_size_limit;
        let (image, ()) = both(many, || Loaded::new(tables, limit), free)?;
        Ok(Engine::of(image))
    }
}

/// From this many statements on the policies are freed beside what is done last.
const BESIDE_FROM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::beside::tests::alone;

    /// Of each kind of part many, so that everything that can run on another thread does.
    #[test]
    fn images_are_the_same_however_many_threads_make_them() {
        let statements = (0..2000).map(|i: u32| {
            let (a, b) = (i / 256, i % 256);
            let effect = if i % 4 == 3 { "Deny" } else { "Allow" };
            let element = if i % 100 == 7 { "NotResource" } else { "Resource" };
            let key = if i % 50 == 9 { "aws:VpcSourceIp" } else { "aws:SourceIp" };
            format!(
                r#"{{"Sid":"s{i}","Effect":"{effect}","Principal":"*","Action":"execute-api:Invoke",
                "{element}":["arn:aws:execute-api:*:*:a{i}/*","arn:aws:execute-api:*:*:a{b}/${{aws:username}}"],
                "Condition":{{"IpAddress":{{"{key}":["10.{a}.{b}.0/24","11.{b}.0.0/20","2001:db8:{i}::/48"]}},
                "StringEquals":{{"aws:SourceVpce":"vpce-{a}"}}}}}}"#
            )
        });
        let statements: Vec<String> = statements.collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",\n")
        );
        let image = || {
            let policy = Policy::from_json(&text).unwrap();
            Engine::builder().policy(policy).build().unwrap()
        };
        let alone = alone(image);
        for _ in 0..3 {
            assert!(image().image() == alone.image());
        }
    }

    #[test]
    fn a_policy_of_the_other_kind_is_refused() {
        let identity = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let resource =
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
        let [identity, resource] =
            [identity, resource].map(|text| Policy::from_json(text).unwrap());
        let both = |builder: Builder| builder.policy(identity.clone()).policy(resource.clone());
        assert!(both(Engine::builder()).build().is_ok());
        let error = both(Engine::builder())
            .resource_policy(identity.clone())
            .build()
            .unwrap_err();
        assert_eq!(error.policy(), Some(2));
        let error = Engine::builder()
            .identity_policy(resource)
            .build()
            .unwrap_err();
        assert_eq!(error.policy(), Some(0));
    }
}
