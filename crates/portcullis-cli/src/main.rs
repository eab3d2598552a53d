//! The binary `portcullis`.

fn main() {}
