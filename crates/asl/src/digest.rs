//! The digests that `States.Hash` and `$hash` compute.

use sha2::Digest;

/// In hexadecimal; `None` where there is no such algorithm.
pub(crate) fn digest(data: &str, algorithm: &str) -> Option<String> {
    let hexadecimal = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(match algorithm {
        "MD5" => hexadecimal(&md5::Md5::digest(data)),
        "SHA-1" => hexadecimal(&sha1::Sha1::digest(data)),
        "SHA-256" => hexadecimal(&sha2::Sha256::digest(data)),
        "SHA-384" => hexadecimal(&sha2::Sha384::digest(data)),
        "SHA-512" => hexadecimal(&sha2::Sha512::digest(data)),
        _ => return None,
    })
}
