//! Makes sure that the folder of the web assets exists, so that the server builds without the web.

fn main() {
    let folder = std::path::Path::new("../../web/dist");
    if let Err(error) = std::fs::create_dir_all(folder) {
        println!("cargo::warning=web/dist cannot be made: {error}");
    }
    println!("cargo::rerun-if-changed={}", folder.display());
}
