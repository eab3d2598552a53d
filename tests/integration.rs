//! The integration tests, one binary: data cases, other evaluators' vectors, properties, floors.

mod property;
mod suite;
mod support;
