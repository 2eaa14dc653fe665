//! JSONPath as Step Functions reads it (Jayway semantics), parsed once and evaluated often.
