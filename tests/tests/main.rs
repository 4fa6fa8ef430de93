//! Tests of the whole product, one binary.

mod flows;
