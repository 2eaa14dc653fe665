//! The runtime that `object_store` needs. A call that blocks here drives it; the only threads of its own are those that
//! write files, and they end when there is nothing to write.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Runtime};

/// The one runtime of the process, made at the first request.
///
/// # Errors
/// The system gives no event queue.
pub(crate) fn shared() -> io::Result<Arc<Runtime>> {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(Arc::clone(runtime));
    }
    // Fails if somebody chose before, whose choice then holds.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(Arc::clone(RUNTIME.get_or_init(|| Arc::new(runtime))))
}
