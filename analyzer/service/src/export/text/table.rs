//! Columns that line up and fit the terminal.

use super::Style;
use crate::export::names;

/// A table; its empty header is left out.
pub(super) struct Table<const COLUMNS: usize> {
    /// The names of the columns.
    pub(super) header: [&'static str; COLUMNS],
    /// The cells.
    pub(super) rows: Vec<[Cell; COLUMNS]>,
}

/// One cell, its text already harmless.
pub(super) struct Cell {
    text: String,
    alignment: Alignment,
    style: anstyle::Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alignment {
    Left,
    Right,
    /// Left, and cut where the table is too wide.
    Flexible,
}

const GAP: &str = "  ";

/// A flexible column keeps at least this many columns of the terminal.
const NARROWEST_FLEXIBLE: usize = 12;

impl Cell {
    fn new(text: String, alignment: Alignment) -> Self {
        Self { text, alignment, style: anstyle::Style::new() }
    }

    pub(super) fn left(text: String) -> Self {
        Self::new(text, Alignment::Left)
    }

    pub(super) fn right(text: String) -> Self {
        Self::new(text, Alignment::Right)
    }

    pub(super) fn flexible(text: String) -> Self {
        Self::new(text, Alignment::Flexible)
    }

    pub(super) fn painted(self, style: Style, paint: anstyle::Style) -> Self {
        match style {
            Style::Plain => self,
            Style::Colour => Self { style: paint, ..self },
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn laid_out(&self, width: usize) -> String {
        let text = names::cut(&self.text, width);
        let padding = " ".repeat(width - names::columns(&text));
        let painted = format!("{}{text}{:#}", self.style, self.style);
        if self.alignment == Alignment::Right { padding + &painted } else { painted + &padding }
    }
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// The lines of the table in at most `width` columns, the header in `header_style`.
    pub(super) fn lines(&self, width: usize, header_style: anstyle::Style) -> Vec<String> {
        let widths = self.widths(width);
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        if self.header.iter().any(|name| !name.is_empty()) {
            lines.push(self.header_line(&widths, header_style));
        }
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| cell.laid_out(width)).collect();
            lines.push(cells.join(GAP));
        }
        lines
    }

    fn header_line(&self, widths: &[usize; COLUMNS], style: anstyle::Style) -> String {
        let cells = (0..COLUMNS).map(|column| {
            let alignment = self.rows.first().map_or(Alignment::Left, |row| row[column].alignment);
            let name = Cell { text: self.header[column].to_owned(), alignment, style };
            name.laid_out(widths[column])
        });
        cells.collect::<Vec<_>>().join(GAP)
    }

    /// The width of each column: what its widest cell takes, and where that is too much, flexible columns first and
    /// then the widest one give way.
    fn widths(&self, width: usize) -> [usize; COLUMNS] {
        let mut widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| names::columns(&row[column].text));
            cells.chain([names::columns(self.header[column])]).max().unwrap_or(0)
        });
        let available = width.saturating_sub(GAP.len() * COLUMNS.saturating_sub(1));
        for column in 0..COLUMNS {
            let flexible = self.rows.iter().any(|row| row[column].alignment == Alignment::Flexible);
            let excess = widths.iter().sum::<usize>().saturating_sub(available);
            if flexible && widths[column] > NARROWEST_FLEXIBLE {
                widths[column] = widths[column].saturating_sub(excess).max(NARROWEST_FLEXIBLE);
            }
        }
        while widths.iter().sum::<usize>() > available {
            let Some(widest) = widths.iter_mut().max() else { break };
            *widest = widest.saturating_sub(1);
            if *widest == 0 {
                break;
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: usize) -> Vec<String> {
        let row =
            |name: &str, number: &str| [Cell::flexible(name.to_owned()), Cell::right(number.to_owned())];
        let table = Table {
            header: ["service", "p"],
            rows: vec![row("cart", "0.5"), row("a-service-with-a-long-name", "10")],
        };
        table.lines(width, anstyle::Style::new())
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(
            lines(40),
            [
                "service                       p",
                "cart                        0.5",
                "a-service-with-a-long-name   10",
            ]
        );
    }

    #[test]
    fn the_flexible_column_gives_way_first() {
        assert_eq!(lines(20), ["service            p", "cart             0.5", "a-service-with…   10"]);
        assert!(lines(9).iter().all(|line| names::columns(line) <= 9));
    }
}
