//! What a supervisor asks of a process in which the functions are loaded: to be the instance itself, or to make a copy that is.

use crate::assignment::Descriptors;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Be the instance that was assigned. Not answered.
    GoOn,
    /// Make a copy that is another instance.
    Copy(CopyOrder),
}

/// In what the copy differs from the process it is made of.
#[derive(Debug, Serialize, Deserialize)]
pub struct CopyOrder {
    pub lane: u32,
    pub scratch: Vec<PathBuf>,
    /// By their positions among those that come with the order.
    pub descriptors: Descriptors,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum CopyAnswer {
    /// The copy's number. It is a child of the supervisor's.
    Made(i32),
    /// Why this process cannot be copied.
    Refused(String),
}

/// As many descriptors as the kernel takes with one message.
pub const MOST_DESCRIPTORS: usize = 253;

/// Longest order, and longest answer, in bytes.
const LONGEST: usize = 128 << 10;

/// One end of the channel for orders.
#[derive(Debug)]
pub struct OrderChannel(OwnedFd);

impl From<OwnedFd> for OrderChannel {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl OrderChannel {
    /// The supervisor's end, and the process's.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    pub fn order(&self, order: &Order, descriptors: &[OwnedFd]) -> io::Result<()> {
        let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
        let mut room = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut attached = SendAncillaryBuffer::new(&mut room);
        if !borrowed.is_empty() && !attached.push(SendAncillaryMessage::ScmRights(&borrowed)) {
            return Err(io::Error::from(io::ErrorKind::ArgumentListTooLong));
        }
        let bytes = encode(order)?;
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut attached, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The next order, and the descriptors that came with it; none when the supervisor is gone.
    pub(crate) fn next(&self) -> io::Result<Option<(Order, Vec<OwnedFd>)>> {
        self.receive()
    }

    pub(crate) fn answer(&self, answer: &CopyAnswer) -> io::Result<()> {
        let bytes = encode(answer)?;
        rustix::net::send(&self.0, &bytes, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The answer to the last order; none when the process is gone.
    pub fn answered(&self) -> io::Result<Option<CopyAnswer>> {
        Ok(self.receive()?.map(|(answer, _)| answer))
    }

    fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut bytes = vec![0; LONGEST];
        let mut room = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut attached = RecvAncillaryBuffer::new(&mut room);
        let message = loop {
            let mut into = [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.0, &mut into, &mut attached, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        if message.bytes == 0 {
            return Ok(None);
        }
        let descriptors = attached.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
            _ => Vec::new(),
        });
        let descriptors = descriptors.collect();
        let value = postcard::from_bytes(&bytes[..message.bytes]).map_err(io::Error::other)?;
        Ok(Some((value, descriptors)))
    }
}

fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let bytes = postcard::to_stdvec(value).map_err(io::Error::other)?;
    if bytes.len() > LONGEST { Err(io::Error::from(io::ErrorKind::ArgumentListTooLong)) } else { Ok(bytes) }
}
