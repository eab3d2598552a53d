//! `cargo bench`: see the library's header.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    portcullis_peers::run(&std::env::args().collect::<Vec<_>>())
}
