//! Tests of the whole product, one binary.

mod flows;
mod http;
