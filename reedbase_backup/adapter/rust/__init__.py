"""Generated adapters for Rust crates, from what their source declares."""
