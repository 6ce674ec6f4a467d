//! What the shape of the repository must be: rooms, directions, style, and the requirements proven.

mod audiences;
mod deployment;
mod directions;
mod labels;
mod pages;
mod requirements;
mod rooms;
mod shipped;
mod style;
mod tree;
