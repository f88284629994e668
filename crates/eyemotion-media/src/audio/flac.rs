//! FLAC (RFC 9639).

use super::mpeg;
use crate::codec_config;
use crate::error::ProbeError;
use crate::probe::Probe;
use crate::source::Source;

/// Reads STREAMINFO, which stands first; ID3 tags before the stream are stepped over.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let start = mpeg::behind_id3(source)?;
    let head = source.up_to(start, 42)?;
    let info = head
        .strip_prefix(b"fLaC")
        .and_then(|blocks| blocks.get(4..))
        .and_then(codec_config::flac_stream_info)
        .ok_or(ProbeError::Malformed("there is no stream information"))?;
    Ok(super::of_one_track(
        "flac",
        "flac",
        info.sample_rate,
        info.channels,
        info.samples,
    ))
}
