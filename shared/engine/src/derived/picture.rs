//! States and transitions as an SVG picture: the way from the start goes down, what leads back runs
//! at the side, and what stays stands in its state's box.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::diagram::{Counts, shown, told};
use crate::Definition;

/// Pixels. A letter of the label font is about seven wide.
const LETTER: usize = 7;
const LINE: usize = 16;
const GAP: usize = 60;
const MARGIN: usize = 30;
/// Between two layers there is room for so many lines of labels.
const LABELS: usize = 3;

/// A state with its place.
struct Box {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Definition {
    /// The same as [`Definition::mermaid`] as a picture that any browser shows.
    #[must_use]
    pub fn svg(&self, counts: &Counts) -> String {
        let layers = self.layers();
        let boxes = self.boxes(&layers, counts);
        let across = |one: &Box| one.x + one.width;
        let right = boxes.values().map(across).max().unwrap_or_default();
        let edges = self.edges();
        let back = edges.iter().filter(|((from, to), _)| boxes[from].y >= boxes[to].y).count();
        let longest = edges.values().flatten().map(|label| label.chars().count()).max();
        let (width, height) = (
            right + MARGIN + back * LINE * 2 + longest.unwrap_or_default() * LETTER,
            boxes.values().map(|one| one.y + one.height).max().unwrap_or_default() + MARGIN,
        );
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{}</title>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
            escaped(&self.title)
        );
        let mut lane = right + MARGIN;
        for ((from, to), labels) in &edges {
            let (from, to) = (&boxes[from], &boxes[to]);
            if from.y < to.y {
                down(&mut svg, from, to, labels);
            } else {
                around(&mut svg, from, to, labels, lane);
                lane += LINE * 2;
            }
        }
        for (state, place) in &boxes {
            self.state_box(&mut svg, state, place, counts);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// States by how many steps they are from the start.
    fn layers(&self) -> Vec<Vec<&str>> {
        let mut layers = vec![Vec::new()];
        let mut seen = BTreeSet::new();
        layers[0].extend(self.start_states().filter(|state| seen.insert(*state)));
        while let Some(last) = layers.last().filter(|last| !last.is_empty()) {
            let next = last.iter().flat_map(|state| self.transitions(state));
            let next: Vec<&str> = next
                .map(|transition| transition.to.as_str())
                .filter(|to| seen.insert(*to))
                .collect();
            layers.push(next);
        }
        layers.pop();
        layers
    }

    fn boxes<'a>(&self, layers: &[Vec<&'a str>], counts: &Counts) -> BTreeMap<&'a str, Box> {
        let mut boxes = BTreeMap::new();
        let mut y = MARGIN;
        for layer in layers {
            let mut x = MARGIN;
            let mut tallest = 0;
            for state in layer {
                let stays = self.stays(state);
                let lines = stays.iter().map(|line| line.chars().count());
                let name = shown(state, counts).chars().count();
                let letters = lines.chain([name]).max().unwrap_or_default();
                let width = (letters + 3) * LETTER;
                let height = LINE * (stays.len() + 1) + LINE;
                boxes.insert(*state, Box { x, y, width, height });
                x += width + GAP * 2;
                tallest = tallest.max(height);
            }
            y += tallest + LINE * (LABELS + 1);
        }
        boxes
    }

    /// What is taken and leads nowhere else.
    fn stays(&self, state: &str) -> Vec<String> {
        let stays = self.transitions(state).iter().filter(|transition| transition.to == state);
        stays.map(told).collect()
    }

    /// What leads from one state to another, with all its names.
    fn edges(&self) -> BTreeMap<(&str, &str), Vec<String>> {
        let mut edges: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for (state, transition) in self.all_transitions().filter(|(state, to)| to.to != *state) {
            edges.entry((state, transition.to.as_str())).or_default().push(told(transition));
        }
        edges
    }

    fn state_box(&self, svg: &mut String, state: &str, place: &Box, counts: &Counts) {
        let Box { x, y, width, height } = place;
        let stroke = if self.is_final(state) { 3 } else { 1 };
        // Writing to a text cannot fail.
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"white\" \
             stroke=\"black\" stroke-width=\"{stroke}\"/>"
        );
        let lines = std::iter::once(shown(state, counts)).chain(self.stays(state));
        for (line, position) in lines.zip(1..) {
            let weight = if position == 1 { "bold" } else { "normal" };
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-weight=\"{weight}\">{}</text>",
                x + LETTER,
                y + LINE * position,
                escaped(&line)
            );
        }
    }
}

fn down(svg: &mut String, from: &Box, to: &Box, labels: &[String]) {
    let (x1, y1) = (from.x + from.width / 2, from.y + from.height);
    let (x2, y2) = (to.x + to.width / 2, to.y);
    let middle = y1.midpoint(y2);
    line(svg, &format!("M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"));
    write_labels(svg, labels, x1.midpoint(x2), y1 + LINE);
}

/// Along the right side, each edge in a lane of its own.
fn around(svg: &mut String, from: &Box, to: &Box, labels: &[String], lane: usize) {
    let (x1, y1) = (from.x + from.width, from.y + from.height / 2);
    let (x2, y2) = (to.x + to.width, to.y + LINE / 2);
    line(svg, &format!("M{x1} {y1}C{lane} {y1} {lane} {y2} {x2} {y2}"));
    write_labels(svg, labels, x1.midpoint(lane).max(x2.midpoint(lane)), y1.midpoint(y2));
}

fn line(svg: &mut String, path: &str) {
    let _ = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"black\" marker-end=\"url(#tip)\"/>"
    );
}

fn write_labels(svg: &mut String, labels: &[String], x: usize, y: usize) {
    for (label, position) in labels.iter().zip(0..) {
        let y = y + position * LINE;
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\">{}</text>", x + LETTER, escaped(label));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
