//! What the shape of the repository must be: rooms, directions, style, and the requirements proven.

mod directions;
mod requirements;
mod style;
mod tree;
