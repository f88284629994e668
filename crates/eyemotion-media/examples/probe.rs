//! Prints what a file is and what is inside, as JSON: `cargo run -p eyemotion-media --example probe -- clip.mov`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;

use eyemotion_media::{probe, sniff};

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args_os().skip(1) {
        match sniff(&path)? {
            Some(found) => {
                println!("{}", found.mime);
                println!("{}", serde_json::to_string_pretty(&probe(&path, found)?)?);
            }
            None => println!("nothing that may be uploaded"),
        }
    }
    Ok(())
}
