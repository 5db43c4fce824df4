//! The house: one module after the other moves in.
