//! An implementation's error as the protocol sends it.

use crate::debug_text;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt::{Debug, Display};

/// An implementation's error: the variant's name, its fields, and the text for people.
///
/// Serialises flat, `{"kind": …, field: …}`, as `RestoreReport.errors` of contract `last` has it.
/// (The reply of a failed call nests the fields instead; the protocol has both shapes.) A field
/// that is itself called `kind` is left out of the flat shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The error's variant name, such as `IoError`.
    pub kind: String,
    /// The variant's fields by name; a tuple variant's are called `0`, `1`, …
    pub fields: Map<String, Value>,
    /// What `Display` says.
    pub message: String,
}

impl Failure {
    /// Reads kind and fields from the text of the derived `Debug`: a `ReedError` is not Serialize.
    ///
    /// Where `Debug` is not derived and its text cannot be read, `fields` holds the whole text as
    /// `debug`, and the kind is the word it starts with, or `Unknown`.
    pub fn of<E: Debug + Display>(error: &E) -> Self {
        let text = format!("{error:?}");
        let (kind, fields) = debug_text::variant(&text).unwrap_or_else(|| {
            let kind = debug_text::leading_name(&text).unwrap_or("Unknown");
            let fields = Map::from_iter([("debug".to_owned(), Value::String(text.clone()))]);
            (kind.to_owned(), fields)
        });
        Failure { kind, fields, message: error.to_string() }
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "kind") {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use serde_json::json;
    use std::fmt;

    #[derive(Debug)]
    enum ReedError {
        IoError { operation: String, reason: String },
        NoTablesFound,
    }

    impl fmt::Display for ReedError {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            match self {
                Self::IoError { operation, reason } => {
                    write!(f, "I/O error during '{operation}': {reason}")
                }
                Self::NoTablesFound => f.write_str("No tables found"),
            }
        }
    }

    #[test]
    fn a_reed_error_keeps_kind_fields_and_display_text() {
        let failure = Failure::of(&ReedError::IoError {
            operation: "read_delta_file: /tmp/\"odd\"\n".into(),
            reason: "Is a directory (os error 21)".into(),
        });
        assert_eq!(failure.kind, "IoError");
        assert_eq!(failure.fields["operation"], "read_delta_file: /tmp/\"odd\"\n");
        assert_eq!(failure.fields["reason"], "Is a directory (os error 21)");
        assert!(failure.message.starts_with("I/O error during 'read_delta_file"));
        assert!(Failure::of(&ReedError::NoTablesFound).fields.is_empty());
    }

    #[test]
    fn a_failure_serialises_flat() {
        let failure =
            Failure::of(&ReedError::IoError { operation: "a".into(), reason: "b".into() });
        let flat = serde_json::to_value(&failure).unwrap();
        assert_eq!(flat, json!({"kind": "IoError", "operation": "a", "reason": "b"}));
    }

    #[test]
    fn a_debug_text_that_is_not_derived_is_kept_whole() {
        struct Odd(&'static str);
        impl fmt::Debug for Odd {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl fmt::Display for Odd {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("odd")
            }
        }
        for (text, kind) in [
            ("something went wrong", "something"),
            ("IoError { operation: \"unclosed", "IoError"),
            ("", "Unknown"),
            ("42 errors", "Unknown"),
        ] {
            let failure = Failure::of(&Odd(text));
            assert_eq!(failure.kind, kind);
            assert_eq!(failure.fields["debug"], text);
        }
    }
}
