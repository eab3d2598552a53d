//! What `map` says beside the picture.

use core::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::args::Drawn;
use super::caption::amount;
use super::picture::{Picture, Survey};
use crate::diagnostics::json_line;
use crate::terminal::visible;

/// Returns the summary for reading: where the picture is, and addresses by class.
pub(super) fn human(file: &str, picture: &Picture<'_, '_>) -> String {
    let mut text = format!(
        "{}: {}, a cell is a /{}\n",
        visible(file),
        picture.survey.within,
        picture.window.cell_length
    );
    let classes = picture.survey.classes.iter();
    for (class, count) in classes.zip(picture.survey.counts()) {
        let unit = if count == 1 { "address" } else { "addresses" };
        // Writing to a String does not fail.
        let _ = writeln!(text, "{:<15} {} {unit}", class.label, amount(count));
    }
    text
}

/// Returns the summary for scripts, one line.
pub(super) fn json(file: &str, drawn: Drawn, resource: &str, picture: &Picture<'_, '_>) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        file: &'a str,
        kind: &'static str,
        prefix: String,
        resource: &'a str,
        cell: String,
        addresses: Value,
    }
    json_line(&Answer {
        file,
        kind: match drawn {
            Drawn::Png => "png",
            Drawn::Svg => "svg",
            Drawn::Html => "html",
        },
        prefix: picture.survey.within.to_string(),
        resource,
        cell: format!("/{}", picture.window.cell_length),
        addresses: addresses(picture.survey),
    })
}

/// Returns addresses by class; a number that JSON's readers would round is a text.
pub(super) fn addresses(survey: &Survey<'_>) -> Value {
    let classes = survey.classes.iter().zip(survey.counts());
    let numbers = classes.map(|(class, count)| {
        let number = match u64::try_from(count) {
            Ok(count) if count < 1 << 53 => Value::from(count),
            _ => Value::from(count.to_string()),
        };
        (class.name.to_owned(), number)
    });
    Value::Object(numbers.collect::<Map<_, _>>())
}
