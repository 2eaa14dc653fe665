//! Base64 and URLs.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::error::quoted;
use crate::jsonata::value::Value;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What stands for itself in a part of a URL, besides letters and digits. Source: ECMA-262, encodeURIComponent.
const UNRESERVED: &str = "-_.!~*'()";
/// What a whole URL is made of besides. Source: ECMA-262, encodeURI.
const RESERVED: &str = ";/?:@&=+$,#";

/// Characters up to U+00FF are one byte each, as in the reference implementation, which cannot encode others.
pub(super) fn base64_encode<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len().saturating_mul(2))?;
    match text.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>() {
        Ok(bytes) => Ok(Value::text(BASE64.encode(bytes))),
        Err(_) => {
            let message = "$base64encode() takes only characters up to U+00FF".to_owned();
            Err(Fault::message("D3137", message))
        }
    }
}

pub(super) fn base64_decode<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len().saturating_mul(2))?;
    match BASE64.decode(text.as_bytes()) {
        Ok(bytes) => Ok(Value::text(bytes.into_iter().map(char::from).collect::<String>())),
        Err(_) => {
            let message = "$base64decode() was given what is no Base64".to_owned();
            Err(Fault::message("D3137", message))
        }
    }
}

fn encode<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
    plain: &[&str],
) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len().saturating_mul(3))?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || plain.iter().any(|plain| plain.contains(letter)) {
            out.push(letter);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(Value::text(out))
}

pub(super) fn encode_url_component<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    arguments: Arguments<'a>,
) -> Outcome<'a> {
    encode(evaluator, arguments, &[UNRESERVED])
}

pub(super) fn encode_url<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    encode(evaluator, arguments, &[UNRESERVED, RESERVED])
}

/// `kept` are the characters that stay encoded.
fn decode<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
    kept: &str,
    name: &str,
) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut sound = true;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |index: usize| after.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            sound = false;
            break;
        };
        let value = (high * 16 + low) as u8;
        rest = &after[2..];
        if kept.contains(char::from(value)) {
            out.extend([b'%', after[0], after[1]]);
        } else {
            out.push(value);
        }
    }
    match String::from_utf8(out) {
        Ok(decoded) if sound => Ok(Value::text(decoded)),
        _ => Err(Fault::value("D3140", quoted(&text)).naming(name)),
    }
}

pub(super) fn decode_url_component<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    arguments: Arguments<'a>,
) -> Outcome<'a> {
    decode(evaluator, arguments, "", "decodeUrlComponent")
}

pub(super) fn decode_url<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    decode(evaluator, arguments, RESERVED, "decodeUrl")
}
