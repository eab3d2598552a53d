//! Laws that hold for every policy and every request, and a generator that aims at the edges.

mod generate;
mod laws;
mod partition;
mod vocabulary;
mod volume;
mod wide;
