//! Has cargo build the program again when the front end, which it embeds, has been built.

fn main() {
    println!("cargo::rerun-if-changed=static/dist");
}
