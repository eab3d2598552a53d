//! Compiles the policy into an image, with all of the library.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use portcullis::{Engine, Policy};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=policy.json");
    let policy = Policy::from_json(&fs::read_to_string("policy.json")?)?;
    let engine = Engine::builder().resource_policy(policy).build()?;
    let image = Path::new(&env::var("OUT_DIR")?).join("policy.image");
    fs::write(image, engine.image())?;
    Ok(())
}
