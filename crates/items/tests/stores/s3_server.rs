//! As much of S3 as a client needs: objects, listings in pages, uploads in parts. Kept in memory, on a free port.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub(crate) struct State {
    /// By `bucket/key`.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// By upload and number of the part.
    pub(crate) parts: BTreeMap<(String, u32), Vec<u8>>,
    /// Method and target of each request.
    pub(crate) requests: Vec<String>,
    /// Answered with 403.
    pub(crate) forbidden: Option<String>,
}

pub(crate) struct S3Server {
    pub(crate) endpoint: String,
    pub(crate) state: Arc<Mutex<State>>,
}

const BUCKETS: [&str; 2] = ["data", "real-name"];

impl S3Server {
    /// Serves until the test's process ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || while answer(&stream, &state).is_some() {});
            }
        });
        Self { endpoint, state }
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.state.lock().unwrap().objects.insert(path.to_owned(), bytes.into());
    }

    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().objects.get(path).cloned()
    }
}

/// Reads one request and answers it; `None` when the client has gone.
fn answer(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut signed) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => signed = value.contains("Credential=the-key/"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, headers, body) = match signed {
        true => respond(&method, &target, body, &mut state.lock().unwrap()),
        false => fault(403, "AccessDenied"),
    };
    let mut writer = stream;
    write!(writer, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).ok()?;
    writer.write_all(&body).ok()
}

type Response = (u16, String, Vec<u8>);

fn respond(method: &str, target: &str, body: Vec<u8>, state: &mut State) -> Response {
    state.requests.push(format!("{method} {target}"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decoded(path.trim_start_matches('/'));
    let query: BTreeMap<String, String> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    if state.forbidden.as_deref() == Some(path.as_str()) {
        return fault(403, "AccessDenied");
    }
    if !BUCKETS.contains(&path.split('/').next().unwrap()) {
        return fault(404, "NoSuchBucket");
    }
    let ok = |body: String| (200, String::new(), body.into_bytes());
    match (method, query.get("uploadId")) {
        ("GET", _) if query.contains_key("list-type") => ok(list(&path, &query, state)),
        ("GET", _) => match state.objects.get(&path) {
            Some(bytes) => {
                let headers = "ETag: \"e\"\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n".to_owned();
                (200, headers, bytes.clone())
            }
            None => fault(404, "NoSuchKey"),
        },
        ("PUT", None) => {
            state.objects.insert(path, body);
            (200, "ETag: \"e\"\r\n".to_owned(), Vec::new())
        }
        ("POST", None) => ok(format!(
            "<InitiateMultipartUploadResult><UploadId>{path}</UploadId></InitiateMultipartUploadResult>"
        )),
        ("PUT", Some(upload)) => {
            state.parts.insert((upload.clone(), query["partNumber"].parse().unwrap()), body);
            (200, "ETag: \"p\"\r\n".to_owned(), Vec::new())
        }
        ("POST", Some(upload)) => {
            let of_upload = state.parts.iter().filter(|((of, _), _)| of == upload);
            let whole: Vec<u8> = of_upload.flat_map(|(_, part)| part.clone()).collect();
            state.objects.insert(path, whole);
            ok("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>".to_owned())
        }
        ("DELETE", Some(upload)) => {
            state.parts.retain(|(of, _), _| of != upload);
            (204, String::new(), Vec::new())
        }
        _ => fault(405, "MethodNotAllowed"),
    }
}

fn list(bucket: &str, query: &BTreeMap<String, String>, state: &State) -> String {
    let prefix = format!("{bucket}/{}", query.get("prefix").map_or("", String::as_str));
    let after = query.get("continuation-token").or_else(|| query.get("start-after"));
    let most = query.get("max-keys").map_or(1000, |most| most.parse().unwrap());
    let mut keys = state.objects.iter().filter(|(path, _)| path.starts_with(&prefix));
    let mut found = String::new();
    let (mut count, mut last, mut truncated) = (0, String::new(), false);
    for (path, bytes) in &mut keys {
        let key = &path[bucket.len() + 1..];
        if after.is_some_and(|after| key <= after.as_str()) {
            continue;
        }
        if count == most {
            truncated = true;
            break;
        }
        count += 1;
        last = key.to_owned();
        found += &format!(
            "<Contents><Key>{key}</Key><LastModified>2022-11-17T15:44:41.000Z</LastModified>\
             <ETag>&quot;05704fbd&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            bytes.len()
        );
    }
    let token = if truncated {
        format!("<NextContinuationToken>{last}</NextContinuationToken>")
    } else {
        String::new()
    };
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>{bucket}</Name><KeyCount>{count}</KeyCount>\
         <IsTruncated>{truncated}</IsTruncated>{token}{found}</ListBucketResult>"
    )
}

fn fault(status: u16, code: &str) -> Response {
    (status, String::new(), format!("<Error><Code>{code}</Code></Error>").into_bytes())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
