//! The command line of `map`.

use std::path::PathBuf;

use clap::Args;

use crate::args::QuestionArgs;

/// A picture of what every source address gets.
#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// Where the picture goes: a file ending in `.png`, `.svg` or `.html`, or `-` for stdout
    #[arg(long, short, value_name = "FILE", help_heading = PICTURE)]
    pub(crate) output: PathBuf,
    /// What the picture is drawn as [default: what FILE ends in]
    #[arg(long = "as", value_name = "KIND", value_enum, help_heading = PICTURE)]
    pub(crate) drawn_as: Option<Drawn>,
    /// The addresses to draw, IPv4 or IPv6
    #[arg(long, value_name = "PREFIX", default_value = "0.0.0.0/0", help_heading = PICTURE)]
    pub(crate) prefix: String,
    /// Pixels of the longer side: a power of two from 64 to 4096. A page has at most 1024 cells, drawn larger
    #[arg(long, value_name = "N", default_value_t = 1024, help_heading = PICTURE)]
    pub(crate) size: u32,
    /// The policies before a change: colours only what changed between them and --policy; may be given several times
    #[arg(long, value_name = "OLD", help_heading = PICTURE)]
    pub(crate) diff: Vec<PathBuf>,
    /// Hatch private, multicast, documentation and other special-use addresses
    #[arg(long, help_heading = PICTURE)]
    pub(crate) special_use: bool,
}

/// What a picture is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Drawn {
    /// Dots, for wherever pictures can be shown
    Png,
    /// Shapes, each with a tooltip
    Svg,
    /// A page by itself, with what decided under the pointer
    Html,
}

pub(crate) const MAP_USAGE: &str = "\
portcullis map [OPTIONS] --policy <FILE> --method <METHOD> --path <PATH> --output <FILE>
       portcullis map [OPTIONS] --policy <FILE> --resource <ARN> --output <FILE>";

pub(crate) const MAP_HELP: &str = "\
The picture:
The question is that of `portcullis check` without --source-ip: what does each source address get, all \
else being as given? The answer is exact for every address. A cell of the picture is a prefix (a /20 for \
the whole of IPv4 at 1024 pixels); where its addresses do not share a decision, their colours are blended by number, \
the rarest with a minimum tint, and a ring is drawn around what is too small to be seen: one denied address shows.

Cells lie along a Hilbert curve, turned as in the known maps of the Internet: 0.0.0.0 at the top left, \
64.0.0.0 below it, 128.0.0.0 at the bottom right, 255.255.255.255 at the top right. A prefix of even length is a square, one of odd length \
two squares side by side. --prefix draws a part of the same map, larger; IPv6 is drawn with such as \
--prefix 2001:db8::/32.

PNG is for documents. SVG has a tooltip on each area and stays sharp. HTML is one file that loads nothing: \
the pointer or the arrow keys tell prefix, decision, statement and the CIDR that matched, with its line and \
column. SVG and HTML take larger cells where a policy has so many prefixes that the file would be too large, and \
say so.

A policy that compares the text of aws:SourceIp by wildcards (StringLike with 203.0.113.*) or variables cannot \
be drawn: what it matches is no list of prefixes. The error names the statement; IpAddress says it with CIDRs.

With --diff OLD only what changed is coloured: what became allowed, and what became denied. An explicit deny \
that became an implicit one or the reverse is no change.

Stdout gets the number of addresses by decision. With --format json:
  {\"file\":\"map.png\",\"kind\":\"png\",\"prefix\":\"0.0.0.0/0\",\"resource\":\"arn:…\",\"cell\":\"/20\",
   \"addresses\":{\"allow\":256,\"explicit_deny\":0,\"implicit_deny\":4294967040}}
and with --diff the numbers of \"became_allowed\", \"became_denied\", \"still_allowed\" and \"still_denied\"; \
a number from 2^53 is a text, such as \"79228162514264337593543950336\". \
With `--output -` stdout gets the picture instead.

Examples:
  portcullis map -p office.json -X GET --path /pets -o map.png
  portcullis map -p office.json -X GET --path /pets -o map.html --special-use
  portcullis map -p office.json -X GET --path /pets -o office.svg --prefix 203.0.112.0/20
  portcullis map -p new.json --diff old.json -X GET --path /pets -o change.html
  portcullis map -p office.json -X GET --path /pets -o v6.png --prefix 2001:db8::/32

Exit codes:
  0  the picture is drawn
  2  no picture: wrong usage, a file that cannot be read or written, an invalid policy, a policy
     that compares the text of addresses by wildcards";

const PICTURE: &str = "Picture";
