//! What is worked out ahead for an anonymous caller who invokes, as nearly everybody does.
//!
//! - Of each node of the automaton the row that all its patterns bring, by the node's number, so that
//!   a decision loads both at once.
//! - Of each address family whether its addresses that no list names get nothing from any pattern:
//!   an allow list refuses them before the resource is read.

use super::tables::{Base, Cell, Hit, Image, MANY_ROWS, NO_CLASS, NO_ROW, Pattern, Row};
use crate::pattern::automaton::Accept;
use crate::util::ids::{ClassId, Id, PatternId};
use crate::util::int::AsUsize;

// Both are kept as values of nodes.
const _: () = assert!(NO_ROW == Accept::NO_VALUE);

/// Works it out; all rows and look-ups are there.
pub(super) fn write(image: &mut Image) {
    let open_row = |pattern: &Pattern| match pattern.has_variables {
        0 => pattern.open_row,
        _ => MANY_ROWS,
    };
    image.open_rows = image.patterns.iter().map(open_row).collect();
    write_values(image);
    let (v4, v6) = (0, image.primary.v6_class_base);
    let quiet = |family, class| match is_quiet(image, family, class) {
        true => class,
        false => NO_CLASS,
    };
    (image.quiet_v4, image.quiet_v6) = (quiet(Base::V4, v4), quiet(Base::V6, v6));
}

fn write_values(image: &mut Image) {
    let (ids, rows) = (&image.automaton.ids, &image.open_rows);
    let row = |id: &PatternId| rows.get(id.as_usize()).copied().unwrap_or(MANY_ROWS);
    image
        .node_rows
        .reserve_exact(image.automaton.heads.nodes.len());
    for node in &mut image.automaton.heads.nodes {
        let accept = &mut node.accept;
        let ids = accept.ids().of(ids);
        let first = ids.first().map_or(NO_ROW, row);
        let is_one = accept.kind != Accept::KIND_GRAMS && ids.iter().all(|id| row(id) == first);
        accept.value = if is_one { first } else { MANY_ROWS };
        let apart = Row {
            kind: Row::KIND_APART,
            ..Row::default()
        };
        let says_all = |row: &Row| row.next == NO_ROW && row.key == 0 && row.kind != Row::KIND_LIST;
        let row = image.rows.get(accept.value.as_usize()).copied();
        image.node_rows.push(row.filter(says_all).unwrap_or(apart));
    }
}

/// Returns whether no pattern brings open requests of a class anything.
fn is_quiet(image: &Image, family: Base, class: u32) -> bool {
    // Of each row once, as many patterns bring the same.
    let mut quiet: Vec<bool> = Vec::with_capacity(image.rows.len());
    for (at, row) in image.rows.iter().enumerate() {
        // A row names one that was made before it.
        let next = match row.next {
            NO_ROW => true,
            next => next.as_usize() < at && quiet.get(next.as_usize()) == Some(&true),
        };
        quiet.push(next && brings_nothing(image, row, family, class));
    }
    let is_quiet = |row: u32| row == NO_ROW || quiet.get(row.as_usize()) == Some(&true);
    let is_closed = |hit: &Hit| {
        let lane = image.lanes.get(hit.lane.as_usize());
        lane.is_some_and(|lane| lane.open == 0)
    };
    let mut patterns = image.patterns.iter();
    patterns.all(|pattern| match pattern.open_row {
        MANY_ROWS => {
            let mut hits = pattern.hits.of(&image.hits).iter();
            hits.all(|hit| is_closed(hit) || is_quiet(hit.row))
        }
        row => is_quiet(row),
    })
}

/// Returns whether a row brings nothing for a class, by its cells alone.
fn brings_nothing(image: &Image, row: &Row, family: Base, class: u32) -> bool {
    if row.key != 0 || row.base.get(family.index()) != Some(&Cell::IMPLICIT) {
        return false;
    }
    match row.kind {
        Row::KIND_UNIFORM => true,
        Row::KIND_SET => {
            let mut further = row.cells.of(&image.set_classes).iter();
            !row.classes.contains(class) && !further.any(|group| group.contains(class))
        }
        Row::KIND_SPARSE => {
            let class = ClassId::from_u32(class);
            let mut cells = row.cells.of(&image.sparse_cells).iter();
            !cells.any(|cell| cell.class == class)
        }
        Row::KIND_DENSE => {
            let cells = row.cells.of(&image.dense_cells);
            cells.get(class.as_usize()) == Some(&Cell::IMPLICIT)
        }
        // A list says nothing without being asked.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Config, Strategy, build};
    use crate::ir::lower;
    use crate::policy::Policy;

    /// Builds statements, each given by what it has beside version, action and principal.
    fn image(statements: &[&str], config: Config) -> Image {
        let statement = |text: &&str| format!(r#"{{"Action":"*",{text}}}"#);
        let statements: Vec<String> = statements.iter().map(statement).collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        );
        let policies = [Policy::from_json(&text).unwrap()];
        build(&lower(&policies, usize::MAX).unwrap(), &config).unwrap()
    }

    fn quiet(statements: &[&str]) -> (bool, bool) {
        let image = image(statements, Config::new());
        (image.quiet_v4 != NO_CLASS, image.quiet_v6 != NO_CLASS)
    }

    const ALL: &str = r#""Effect":"Allow","Principal":"*","Resource":"arn:*""#;
    const LISTED: &str = r#""Effect":"Allow","Principal":"*","Resource":"arn:aws:e:r:1:a/*","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}"#;
    const NOT_LISTED: &str = r#""Effect":"Deny","Principal":"*","Resource":"arn:aws:e:r:1:b/*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#;
    const ONE_FAMILY: &str = r#""Effect":"Allow","Principal":"*","Resource":"arn:aws:e:r:1:c/*","Condition":{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0","2001:db8::/32"]}}"#;
    const CALLER: &str =
        r#""Effect":"Allow","Principal":{"AWS":"111111111111"},"Resource":"arn:aws:e:r:1:d/*""#;
    const OTHER_KEY: &str = r#""Effect":"Allow","Principal":"*","Resource":"arn:aws:e:r:1:e/*","Condition":{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}"#;
    const VARIABLE: &str = r#""Effect":"Allow","Principal":"*","Resource":"arn:aws:e:r:1:f/${aws:username}","Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#;

    #[test]
    fn families_are_quiet_where_nothing_is_for_all() {
        assert_eq!(quiet(&[LISTED]), (true, true));
        assert_eq!(quiet(&[LISTED, VARIABLE]), (true, true));
        // What only others get is nothing to an anonymous caller.
        assert_eq!(quiet(&[LISTED, CALLER]), (true, true));
        assert_eq!(quiet(&[LISTED, ALL]), (false, false));
        assert_eq!(quiet(&[LISTED, NOT_LISTED]), (false, false));
        assert_eq!(quiet(&[LISTED, ONE_FAMILY]), (true, false));
        assert_eq!(quiet(&[LISTED, VARIABLE, OTHER_KEY]), (false, false));
        let lists = image(&[LISTED], Config::new().with_strategy(Strategy::Lists));
        assert_eq!((lists.quiet_v4, lists.quiet_v6), (NO_CLASS, NO_CLASS));
    }

    #[test]
    fn nodes_have_the_row_of_all_their_patterns_or_none() {
        let rows = |statements: &[&str]| -> Vec<(u32, bool)> {
            let image = image(statements, Config::new());
            assert_eq!(image.node_rows.len(), image.automaton.heads.nodes.len());
            let nodes = image.automaton.heads.nodes.iter().zip(&image.node_rows);
            let accepting = nodes.filter(|(node, _)| node.accept.kind != Accept::KIND_NOTHING);
            accepting
                .map(|(node, row)| (node.accept.value, row.kind != Row::KIND_APART))
                .collect()
        };
        assert_eq!(rows(&[LISTED]), [(0, true)]);
        assert_eq!(rows(&[CALLER]), [(NO_ROW, false)]);
        assert_eq!(rows(&[VARIABLE]), [(MANY_ROWS, false)]);
        // Two patterns of one node, with one row and with two.
        let both = r#""Effect":"Allow","Principal":"*","Resource":["arn:aws:e:r:1:a/*","arn:aws:e:r:1:b*"]"#;
        assert_eq!(rows(&[both]), [(0, true)]);
        assert_eq!(rows(&[LISTED, NOT_LISTED]), [(MANY_ROWS, false)]);
    }
}
