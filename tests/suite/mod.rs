//! Every question of the test data through every way to get a decision, and the floors.

mod analysis;
mod batch;
mod crowds;
mod data;
mod explain;
mod floors;
mod hostile;
mod image;
mod keys;
mod lint;
mod vectors;
