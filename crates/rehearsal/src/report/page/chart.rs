//! A chart: shapes in an SVG that stretches with the page, and around it labels in HTML, which keep their size.

use std::io::{self, Write};

use super::escape::Escaped;
use super::scale::Axis;

/// The SVG's own width and height; how large it is shown is up to the page.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 400.0;

/// Values over one direction, time for most.
pub(super) struct Chart {
    /// What one sees, in a sentence.
    pub(super) title: String,
    /// How to read it.
    pub(super) note: String,
    /// From left to right.
    pub(super) x: Axis,
    /// From bottom to top.
    pub(super) y: Axis,
    /// The values, from the hindmost to the foremost.
    pub(super) series: Vec<Series>,
    /// What each value is of: a moment, a range. As many as each series has values.
    pub(super) moments: Vec<String>,
    /// Which part of the whole width each value takes; the last may have less.
    pub(super) width: f64,
    /// Lines from top to bottom.
    pub(super) marks: Vec<Mark>,
}

/// Values of one kind.
pub(super) struct Series {
    /// What they are of.
    pub(super) name: &'static str,
    /// How strong: a class of the style sheet, `soft`, `middle`, `strong` or `bad`.
    pub(super) tone: &'static str,
    /// How they are drawn.
    pub(super) shape: Shape,
    /// The values; nothing where there is none.
    pub(super) values: Vec<Option<f64>>,
    /// How a value is told.
    pub(super) tell: fn(f64) -> String,
}

/// How values are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line from value to value.
    Line,
    /// The same, and what is below it filled.
    Area,
    /// A bar for each.
    Bars,
    /// From bottom to top wherever the value is above 0.
    Bands,
}

/// A line from top to bottom.
pub(super) struct Mark {
    /// Where, on the axis from left to right.
    pub(super) at: f64,
    /// What it says.
    pub(super) label: String,
    /// How far below the top it says so, in percent of the height.
    pub(super) below: u8,
}

impl Chart {
    /// Draws it, as a `figure`.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (title, note) = (Escaped(&self.title), Escaped(&self.note));
        writeln!(out, "<figure class=\"chart\">\n<figcaption><h3>{title}</h3><p>{note}</p></figcaption>")?;
        self.legend(out)?;
        let moments = self.moments.join("|");
        writeln!(out, "<div class=\"plot\" data-width=\"{:.6}\" data-moments=\"{}\">", self.width, Escaped(&moments))?;
        writeln!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">"
        )?;
        for tick in &self.y.ticks {
            let y = HEIGHT - tick.at * HEIGHT;
            writeln!(out, "<path class=\"grid\" d=\"M0 {y:.1}H{WIDTH}\"/>")?;
        }
        for series in &self.series {
            self.shape(series, out)?;
        }
        for mark in &self.marks {
            let x = self.x.share(mark.at) * WIDTH;
            writeln!(out, "<path class=\"mark\" d=\"M{x:.1} 0V{HEIGHT}\"/>")?;
        }
        writeln!(out, "</svg>")?;
        self.labels(out)?;
        writeln!(out, "</div>\n<p class=\"x-title\">{}</p>\n</figure>", Escaped(&self.x.title))
    }

    /// What is measured upwards, and in which tone each series is drawn.
    fn legend(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "<div class=\"legend\"><span class=\"y-title\">{}</span>", Escaped(&self.y.title))?;
        if self.series.len() > 1 {
            for series in &self.series {
                let shape = if series.shape == Shape::Line { "line" } else { "box" };
                writeln!(out, "<span class=\"{} {shape}\"><i></i>{}</span>", series.tone, Escaped(series.name))?;
            }
        }
        writeln!(out, "</div>")
    }

    fn labels(&self, out: &mut impl Write) -> io::Result<()> {
        for tick in &self.y.ticks {
            writeln!(
                out,
                "<span class=\"tick y\" style=\"bottom:{:.2}%\">{}</span>",
                tick.at * 100.0,
                Escaped(&tick.label)
            )?;
        }
        for tick in &self.x.ticks {
            writeln!(
                out,
                "<span class=\"tick x\" style=\"left:{:.2}%\">{}</span>",
                tick.at * 100.0,
                Escaped(&tick.label)
            )?;
        }
        for mark in &self.marks {
            let at = self.x.share(mark.at) * 100.0;
            let side = if at > 60.0 { "before" } else { "after" };
            let (below, label) = (mark.below, Escaped(&mark.label));
            writeln!(out, "<span class=\"label {side}\" style=\"left:{at:.2}%;top:{below}%\">{label}</span>")?;
        }
        Ok(())
    }

    fn shape(&self, series: &Series, out: &mut impl Write) -> io::Result<()> {
        let told: Vec<String> =
            series.values.iter().map(|value| value.map_or_else(|| String::from("-"), series.tell)).collect();
        let (tone, name, told) = (series.tone, Escaped(series.name), told.join("|"));
        write!(out, "<g class=\"{tone}\" data-name=\"{name}\" data-values=\"{}\">", Escaped(&told))?;
        let boxes = self.boxes(series);
        match series.shape {
            Shape::Line | Shape::Area => {
                for run in boxes.chunk_by(|one, next| one.at + 1 == next.at) {
                    line(run, series.shape == Shape::Area, out)?;
                }
            }
            Shape::Bars => {
                for one in boxes.iter().filter(|one| one.top < HEIGHT) {
                    upright("bar", one, one.top, out)?;
                }
            }
            Shape::Bands => {
                for one in boxes.iter().filter(|one| one.value > 0.0) {
                    upright("band", one, 0.0, out)?;
                }
            }
        }
        writeln!(out, "</g>")
    }

    /// Where each value is that there is.
    fn boxes(&self, series: &Series) -> Vec<Place> {
        let mut left = 0.0;
        let mut boxes = Vec::new();
        for (at, value) in series.values.iter().enumerate() {
            let right = f64::min(left + self.width * WIDTH, WIDTH);
            if let Some(value) = *value {
                boxes.push(Place { at, value, left, right, top: HEIGHT - self.y.share(value) * HEIGHT });
            }
            left = right;
        }
        boxes
    }
}

/// Where a value is drawn.
struct Place {
    at: usize,
    value: f64,
    left: f64,
    right: f64,
    top: f64,
}

/// A line through the middles of successive values, and to both ends of what they take, so that one value is a line too.
fn line(run: &[Place], filled: bool, out: &mut impl Write) -> io::Result<()> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
    let middle = |place: &Place| format!("L{:.1} {:.1}", f64::midpoint(place.left, place.right), place.top);
    let middles: Vec<String> = run.iter().map(middle).collect();
    let middles = middles.concat();
    let path = format!("{:.1} {:.1}{middles}L{:.1} {:.1}", first.left, first.top, last.right, last.top);
    if filled {
        write!(out, "<path class=\"area\" d=\"M{:.1} {HEIGHT}L{path}V{HEIGHT}Z\"/>", first.left)?;
    }
    write!(out, "<path class=\"line\" d=\"M{path}\"/>")
}

fn upright(class: &str, place: &Place, top: f64, out: &mut impl Write) -> io::Result<()> {
    let (x, width, height) = (place.left, place.right - place.left, HEIGHT - top);
    write!(out, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shape: Shape, values: &[Option<f64>]) -> String {
        let series =
            Series { name: "people", tone: "strong", shape, values: values.to_vec(), tell: |value| format!("{value}") };
        let chart = Chart {
            title: String::from("Title"),
            note: String::from("note"),
            x: Axis::time("on", 4.0),
            y: Axis::amounts("people", 10.0),
            series: vec![series],
            moments: vec![String::from("0:00"); values.len()],
            width: 0.25,
            marks: Vec::new(),
        };
        let mut out = Vec::new();
        chart.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let drawn = text.lines().find(|line| line.starts_with("<g ")).unwrap();
        drawn.split_once('>').unwrap().1.replace("</g>", "")
    }

    #[test]
    fn a_line_has_gaps_where_there_is_no_value() {
        assert_eq!(
            drawn(Shape::Line, &[Some(5.0), Some(10.0), None, Some(0.0)]),
            "<path class=\"line\" d=\"M0.0 200.0L125.0 200.0L375.0 0.0L500.0 0.0\"/>\
             <path class=\"line\" d=\"M750.0 400.0L875.0 400.0L1000.0 400.0\"/>"
        );
    }

    #[test]
    fn an_area_goes_down_to_the_bottom() {
        assert_eq!(
            drawn(Shape::Area, &[Some(10.0)]),
            "<path class=\"area\" d=\"M0.0 400L0.0 0.0L125.0 0.0L250.0 0.0V400Z\"/>\
             <path class=\"line\" d=\"M0.0 0.0L125.0 0.0L250.0 0.0\"/>"
        );
    }

    #[test]
    fn bars_stand_and_bands_fill_only_where_something_is() {
        assert_eq!(
            drawn(Shape::Bars, &[Some(0.0), Some(5.0)]),
            "<rect class=\"bar\" x=\"250.0\" y=\"200.0\" width=\"250.0\" height=\"200.0\"/>"
        );
        assert_eq!(
            drawn(Shape::Bands, &[Some(0.0), Some(1.0)]),
            "<rect class=\"band\" x=\"250.0\" y=\"0.0\" width=\"250.0\" height=\"400.0\"/>"
        );
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(drawn(Shape::Line, &[]), "");
    }
}
