//! `eyemotion-stripe-fake --port 0`: the fake for drives in other languages. It prints its address, and
//! ends when its standard input does.

use clap::Parser;
use eyemotion_stripe_fake::StripeFake;
use std::io::{self, Read, Write};

/// A double of Stripe's API on 127.0.0.1.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let now = chrono::Utc::now().timestamp();
    let fake = StripeFake::start_on(arguments.port, now);
    fake.record_answers();
    writeln!(io::stdout(), "{}", fake.url())?;
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
