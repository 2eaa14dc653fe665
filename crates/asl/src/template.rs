//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector`, in which a field `name.$` is a path.
