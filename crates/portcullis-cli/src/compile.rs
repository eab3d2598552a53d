//! `compile`: policies → an image in a file.

use std::fs;
use std::path::Path;

use crate::args::CompileArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::policies::{self, has_short_hand};
use crate::replace::replace_or_create;
use crate::reply::Reply;
use crate::target;
use crate::terminal::visible;

/// Writes the image.
pub(crate) fn run(args: &CompileArgs, output: &Output) -> Result<Reply, Failure> {
    let place = fs::canonicalize(&args.output).ok();
    let overwrites = |policy: &Path| place.is_some() && fs::canonicalize(policy).ok() == place;
    if args.policies.iter().any(|policy| overwrites(policy)) {
        return Err(Failure::usage(
            "--output is one of the policies, which it would replace",
            "give the image another name",
        ));
    }
    let mut loaded = policies::load(&args.policies, args.kind)?;
    if loaded.iter().any(|loaded| has_short_hand(&loaded.policy)) {
        let named = [&args.api.region, &args.api.account, &args.api.api_id];
        if named.iter().any(|flag| flag.is_none()) {
            return Err(Failure::usage(
                "the policies have short-hand resources, and the API that they belong to is not named",
                "give --region, --account and --api-id, and --partition unless it is aws",
            ));
        }
        policies::expand(&mut loaded, &target::placeholder(&args.api)?);
    }
    let engine = policies::build(&loaded)?;
    let statements: usize = (loaded.iter())
        .map(|loaded| loaded.policy.statements().len())
        .sum();
    let file = args.output.display().to_string();
    if let Err(error) = replace_or_create(&args.output, engine.image()) {
        return Err(Failure::File { file, error });
    }
    output.note(&format!(
        "{}: {statements} {} of {} {} in {} bytes",
        visible(&file),
        if statements == 1 {
            "statement"
        } else {
            "statements"
        },
        loaded.len(),
        if loaded.len() == 1 {
            "policy"
        } else {
            "policies"
        },
        engine.image().len(),
    ));
    Ok(Reply::new(String::new(), Exit::Ok))
}
