//! States and transitions as an SVG picture: a column of states in the order of the file, each with
//! its transitions, from which lines lead to the states that they reach.

use std::{collections::BTreeMap, fmt::Write as _};

use super::diagram::Counts;
use crate::{Definition, Languages};

/// All in pixels. A letter of the font is about seven wide.
const LETTER: usize = 7;
const LINE: usize = 18;
const GAP: usize = 16;
const MARGIN: usize = 20;
/// Lines that lead to one state share a lane beside the column.
const LANE: usize = 14;

/// Where a state's box begins and ends.
struct Place {
    top: usize,
    height: usize,
}

impl Definition {
    /// The same as [`Definition::mermaid`] as a picture that any browser shows.
    #[must_use]
    pub fn svg(&self, counts: &Counts, languages: &Languages) -> String {
        let labels = self.all_transitions().map(|(_, transition)| self.told(transition, languages));
        let states = self.states().map(|state| self.shown(state, counts, languages));
        let letters = labels.chain(states);
        let letters = letters.map(|label| label.chars().count()).max().unwrap_or_default();
        let right = MARGIN + (letters + 4) * LETTER;
        let (places, height) = self.places();
        let lanes = self.lanes(&places);
        let width = right + (lanes.len() + 1) * LANE + MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{}</title>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
            escaped(self.title.told(languages))
        );
        for state in self.states() {
            self.state_box(&mut svg, state, &places[state], right, (counts, languages));
            for (transition, line) in self.transitions(state).iter().zip(1..) {
                let Some(lane) =
                    lanes.get(transition.to.as_str()).filter(|_| transition.to != state)
                else {
                    continue;
                };
                let from = middle_of(&places[state], line);
                let to = middle_of(&places[transition.to.as_str()], 0);
                let lane = right + (lane + 1) * LANE;
                // Writing to a text cannot fail.
                let _ = writeln!(
                    svg,
                    "<path d=\"M{right} {from}H{lane}V{to}H{right}\" fill=\"none\" stroke=\"black\" \
                     marker-end=\"url(#tip)\"/>"
                );
            }
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Where each state stands, and how high all is.
    fn places(&self) -> (BTreeMap<&str, Place>, usize) {
        let mut top = MARGIN;
        let mut places = BTreeMap::new();
        for state in self.states() {
            let height = LINE * (self.transitions(state).len() + 1) + LINE / 2;
            places.insert(state, Place { top, height });
            top += height + GAP;
        }
        (places, top - GAP + MARGIN)
    }

    /// The lane of each state that something leads to; the longer the way, the further out.
    fn lanes(&self, places: &BTreeMap<&str, Place>) -> BTreeMap<&str, usize> {
        let mut reach: BTreeMap<&str, usize> = BTreeMap::new();
        for (state, transition) in self.all_transitions().filter(|(from, to)| to.to != *from) {
            let to = transition.to.as_str();
            let length = places[state].top.abs_diff(places[to].top);
            let longest = reach.entry(to).or_default();
            *longest = length.max(*longest);
        }
        let mut ranked: Vec<(usize, &str)> =
            reach.into_iter().map(|(state, length)| (length, state)).collect();
        ranked.sort_unstable();
        ranked.into_iter().zip(0..).map(|((_, state), lane)| (state, lane)).collect()
    }

    /// A final state has a thick edge, one that a record starts in a dashed one.
    fn state_box(
        &self,
        svg: &mut String,
        state: &str,
        place: &Place,
        right: usize,
        (counts, languages): (&Counts, &Languages),
    ) {
        let edge = match state {
            _ if self.is_final(state) => "stroke-width=\"3\"",
            _ if self.start_states().any(|start| start == state) => "stroke-dasharray=\"4\"",
            _ => "stroke-width=\"1\"",
        };
        let Place { top, height } = place;
        let width = right - MARGIN;
        let _ = writeln!(
            svg,
            "<rect x=\"{MARGIN}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"6\" \
             fill=\"white\" stroke=\"black\" {edge}/>"
        );
        let lines = self.transitions(state).iter().map(|one| self.told(one, languages));
        for (text, line) in
            std::iter::once(self.shown(state, counts, languages)).chain(lines).zip(0..)
        {
            let weight = if line == 0 { "bold" } else { "normal" };
            let indent = if line == 0 { LETTER } else { LETTER * 3 };
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-weight=\"{weight}\">{}</text>",
                MARGIN + indent,
                middle_of(place, line) + LETTER / 2,
                escaped(&text)
            );
        }
    }
}

fn middle_of(place: &Place, line: usize) -> usize {
    place.top + LINE * line + LINE * 3 / 4
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
