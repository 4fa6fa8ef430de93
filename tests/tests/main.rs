//! Tests of the whole product, one binary.

mod faults;
mod flows;
mod http;
