//! The licence is the same wherever tools look for it.

use std::fs;
use std::path::Path;

const LICENCE: &str = "MIT OR Apache-2.0";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_package_names_both_licences_and_their_texts_are_there() {
    assert_eq!(env!("CARGO_PKG_LICENSE"), LICENCE);
    for package in ["fuzz", "benches/load", "tests/engineio-client"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        assert!(
            manifest.contains(&format!("license = \"{LICENCE}\"")),
            "{package}"
        );
    }
    for package in ["static", "tests/js", "benches/peer"] {
        for file in ["package.json", "package-lock.json"] {
            let json: serde_json::Value =
                serde_json::from_str(&read(&format!("{package}/{file}"))).unwrap();
            let named = match file {
                "package.json" => &json["license"],
                _ => &json["packages"][""]["license"],
            };
            assert_eq!(named, LICENCE, "{package}/{file}");
        }
    }
    assert!(read("LICENSE-MIT").starts_with("MIT License"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
}
