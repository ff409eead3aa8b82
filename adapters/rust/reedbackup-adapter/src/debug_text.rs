//! Reads the text of a derived `Debug` back: `IoError { operation: "…", reason: "…" }`.
//!
//! | Rust | JSON |
//! |---|---|
//! | string, char | string |
//! | integer up to 64 bits, float, bool | number, boolean |
//! | `None`, `Some(x)`, `()` | null, x, null |
//! | list, set, tuple | array |
//! | map | object, its keys as text |
//! | unit variant | its name as a string |
//! | struct, struct variant, tuple variant | `{"kind": name, "fields": {…}}` |
//! | anything else (a date, an address, a 128-bit number) | its text as a string |

use serde_json::{Map, Number, Value};

/// Values nested deeper than this are kept as text.
const MAX_DEPTH: usize = 64;

/// The name and the fields of an enum variant or struct, or None where `text` is none.
pub fn variant(text: &str) -> Option<(String, Map<String, Value>)> {
    let mut reader = Reader { rest: text };
    let name = reader.name()?.to_owned();
    let fields = reader.fields(0)?.unwrap_or_default();
    reader.skip_space();
    reader.rest.is_empty().then_some((name, fields))
}

/// The identifier that `text` starts with.
pub fn leading_name(text: &str) -> Option<&str> {
    Reader { rest: text }.name()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Goes past `token` and spaces before it, if it comes next.
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn name(&mut self) -> Option<&'a str> {
        self.skip_space();
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        self.rest = rest;
        Some(name)
    }

    /// The fields after a name; `Some(None)` where there are none, as of a unit variant.
    #[allow(clippy::option_option)]
    fn fields(&mut self, depth: usize) -> Option<Option<Map<String, Value>>> {
        if self.take("{") {
            self.named_fields(depth).map(Some)
        } else if self.rest.starts_with('(') {
            self.take("(");
            let values = self.items(")", depth)?;
            let named = values.into_iter().enumerate().map(|(i, value)| (i.to_string(), value));
            Some(Some(named.collect()))
        } else {
            Some(None)
        }
    }

    fn named_fields(&mut self, depth: usize) -> Option<Map<String, Value>> {
        let mut fields = Map::new();
        while !self.take("}") {
            // What `finish_non_exhaustive` prints for fields that it leaves out.
            if self.take("..") {
                return self.take("}").then_some(fields);
            }
            let name = self.name()?.to_owned();
            if !self.take(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            fields.insert(name, value);
            if !self.take(",") && !self.rest.trim_start().starts_with('}') {
                return None;
            }
        }
        Some(fields)
    }

    fn items(&mut self, close: &str, depth: usize) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        while !self.take(close) {
            values.push(self.value(depth + 1)?);
            if !self.take(",") && !self.rest.trim_start().starts_with(close) {
                return None;
            }
        }
        Some(values)
    }

    /// A map's entries, or a set's members, up to the closing brace.
    fn entries(&mut self, depth: usize) -> Option<Value> {
        let mut entries = Map::new();
        let mut members = Vec::new();
        while !self.take("}") {
            let key = self.value(depth + 1)?;
            if self.take(":") {
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                let value = self.value(depth + 1)?;
                entries.insert(key, value);
            } else {
                members.push(key);
            }
            if !self.take(",") && !self.rest.trim_start().starts_with('}') {
                return None;
            }
        }
        Some(if members.is_empty() { Value::Object(entries) } else { Value::Array(members) })
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_space();
        let start = self.rest;
        if depth < MAX_DEPTH {
            match self.known_value(depth) {
                Some(value) if self.at_end_of_value() => return Some(value),
                _ => self.rest = start,
            }
        }
        self.plain_text()
    }

    fn known_value(&mut self, depth: usize) -> Option<Value> {
        match self.rest.chars().next()? {
            quote @ ('"' | '\'') => self.quoted(quote).map(Value::String),
            '[' => {
                self.take("[");
                self.items("]", depth).map(Value::Array)
            }
            '(' => {
                self.take("(");
                let items = self.items(")", depth)?;
                Some(if items.is_empty() { Value::Null } else { Value::Array(items) })
            }
            '{' => {
                self.take("{");
                self.entries(depth)
            }
            c if c.is_alphabetic() || c == '_' => self.named_value(depth),
            _ => None,
        }
    }

    fn named_value(&mut self, depth: usize) -> Option<Value> {
        let name = self.name()?;
        match (name, self.fields(depth)?) {
            ("true", None) => Some(Value::Bool(true)),
            ("false", None) => Some(Value::Bool(false)),
            ("None", None) => Some(Value::Null),
            (_, None) => Some(Value::String(name.to_owned())),
            ("Some", Some(mut fields)) if fields.len() == 1 => fields.remove("0"),
            (_, Some(fields)) => Some(Value::Object(Map::from_iter([
                ("kind".to_owned(), Value::String(name.to_owned())),
                ("fields".to_owned(), Value::Object(fields)),
            ]))),
        }
    }

    fn at_end_of_value(&self) -> bool {
        let rest = self.rest.trim_start();
        rest.is_empty() || rest.starts_with([',', '}', ')', ']']) || rest.starts_with(": ")
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest[1..].chars();
        loop {
            match chars.next()? {
                '\\' => escaped(&mut chars, &mut text)?,
                c if c == quote => break,
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(text)
    }

    /// Text up to the delimiter that ends this value, past brackets and strings within it.
    fn plain_text(&mut self) -> Option<Value> {
        let start = self.rest;
        let mut open = 0_usize;
        while let Some(c) = self.rest.chars().next() {
            match c {
                ',' | '}' | ')' | ']' if open == 0 => break,
                ':' if open == 0 && self.rest.starts_with(": ") => break,
                '{' | '(' | '[' => open += 1,
                '}' | ')' | ']' => open -= 1,
                '"' => {
                    self.quoted('"')?;
                    continue;
                }
                _ => {}
            }
            self.rest = &self.rest[c.len_utf8()..];
        }
        let text = start[..start.len() - self.rest.len()].trim_end();
        (open == 0 && !text.is_empty()).then(|| number_or_text(text))
    }
}

/// Undoes one of the escapes of Rust's `Debug` for strings, from behind the backslash.
fn escaped(chars: &mut std::str::Chars, text: &mut String) -> Option<()> {
    match chars.next()? {
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        '0' => text.push('\0'),
        c @ ('\\' | '"' | '\'') => text.push(c),
        'u' => {
            let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
            text.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            *chars = rest.chars();
        }
        // `\xFF`: a byte of an OsString that is not UTF-8, which JSON cannot carry but as text.
        c => text.extend(['\\', c]),
    }
    Some(())
}

fn number_or_text(text: &str) -> Value {
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let number = if !is_number {
        None
    } else if let Ok(unsigned) = text.parse::<u64>() {
        Some(unsigned.into())
    } else if let Ok(signed) = text.parse::<i64>() {
        Some(signed.into())
    } else if text.contains(['.', 'e', 'E']) {
        text.parse().ok().and_then(Number::from_f64)
    } else {
        None
    };
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests;
