//! Threads, and what they would carry out or be made to do.

use crate::case::End::{Crash, Nothing, Refused, Violation};
use crate::case::Proof::{Unisolated, Without, WithoutIn};
use crate::case::attacks;

attacks! {
    a31: "installs a system-call filter that fakes success" {
        r#"
        def attack(at):
            ALLOW = 0x7fff0000
            program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, ALLOW))
            return syscall("seccomp", 1, 0, struct.pack("HxxxxxxQ", 1, ctypes.addressof(program))) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("seccomp"),
    }
    a32: "lets the kernel write another's bytes into a socket" {
        r#"
        def attack(at):
            found = peek(at["page"], at["length"])
            return found and found.decode()
        "#
        mpk: Nothing, process: Nothing, by: "key, which the kernel honours; address space", real: Unisolated,
    }
    a33: "reads another's memory on a thread that it starts" {
        r#"
        import threading
        def attack(at):
            found = []
            thread = threading.Thread(target=lambda: found.append(read(at["page"], at["length"])))
            thread.start()
            thread.join()
            return found[0]
        "#
        mpk: Violation, process: Crash, by: "key, inherited; address space", real: Unisolated,
    }
    a33b: "makes a refused system call on a thread that it starts" {
        r#"
        import threading
        def attack(at):
            found = []
            def on_a_thread():
                try:
                    found.append(syscall("memfd_create", b"memory", 0))
                except OSError as error:
                    found.append(error)
            thread = threading.Thread(target=on_a_thread)
            thread.start()
            thread.join()
            if isinstance(found[0], OSError): raise found[0]
            return found[0]
        "#
        mpk: Refused, process: Refused, by: "system-call filter, inherited", real: Without("memfd_create"),
    }
    a34: "raises the limit on core dumps, which hold everyone's memory" {
        r#"
        def attack(at):
            CORE, EVERYTHING = 4, 2 ** 64 - 1
            return syscall("setrlimit", CORE, struct.pack("QQ", EVERYTHING, EVERYTHING)) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("setrlimit,capabilities"),
    }
    a35: "signals a trusted thread" {
        r#"
        def attack(at): return syscall("tgkill", at["pid"], at["pid"], 0) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("tgkill,landlock"),
    }
    a35b: "kills another's process, where it may have processes of its own" {
        r#"
        import signal
        def attack(at): return os.kill(at["pid"], signal.SIGKILL) or "killed"
        "#
        with: "[functions.attack]\nsubprocess = true\n",
        mpk: Refused, process: Refused, by: "Landlock, which keeps signals to what it started; else system-call filter",
        real: WithoutIn("process", "landlock"),
    }
    a53: "has a trusted thread that shares its memory run code of its own" {
        r#"
        import time
        def attack(at):
            room = ctypes.create_string_buffer(b"/etc/shadow".ljust(64, b"\0") + b"nothing!")
            path = ctypes.addressof(room)
            result = path + 64
            word = lambda address: struct.pack("Q", address)
            # Opens it, says how that went, and sleeps.
            code = own_file_as_code(
                b"\xb8\x02\0\0\0\x48\xbf" + word(path) + b"\x31\xf6\x31\xd2\x0f\x05\x48\xbf" + word(result) +
                b"\x48\x89\x07\xb8\x22\0\0\0\x0f\x05\xeb\xf7")
            # Where it returns to from the kernel: in the libc that is none of this function's.
            libc_of = lambda first: next(base for base, name in loaded(first) if "libc.so" in name)
            own = ctypes.cast(libc.syscall, ctypes.c_void_p).value
            function = own - libc_of(first_link_map()) + libc_of(base_link_map())
            at = function + ctypes.string_at(function, 64).index(b"\x0f\x05") + 2
            page = at & -PAGE
            jump = b"\x48\xb8" + word(code) + b"\xff\xe0"
            before = ctypes.string_at(page, 2 * PAGE)
            text = bytearray(before)
            text[at - page : at - page + len(jump)] = jump
            def replace(text):
                with tempfile.NamedTemporaryFile() as file:
                    file.write(text)
                    file.flush()
                    syscall("mmap", page, 2 * PAGE, READ | EXECUTE, PRIVATE | FIXED, file.fileno(), 0)
            replace(text)
            # It wakes up when a thread faults.
            threading.Thread(target=libc.strlen, args=[ctypes.c_void_p(1 << 40)]).start()
            while (done := ctypes.string_at(result, 8)) == b"nothing!": time.sleep(0.01)
            replace(before)
            opened, = struct.unpack("q", done)
            if opened < 0: threading.Event().wait()
            return f"opened as {opened}"
        "#
        mpk: Refused, process: Crash, by: "monitor; each of those threads may do what its duty needs",
        real: WithoutIn("process", "duty"),
    }
    a54: "reports in its process's name that the execution has ended" {
        r#"
        import time
        RING, ENDED = 0x201000, b"\x11\0\x01\0\x01"
        def attack(at):
            # Our own threads' heap has where the ring for reports is, and how long.
            starts = {word for start, length in own_data() for page in range(start & -PAGE, start + length, PAGE)
                      for word in words(page) if word and word % PAGE == 0 and peek(word, 8)}
            rings = set()
            for page in (page for start in starts for page in range(start, start + (1 << 20), PAGE)):
                found = words(page)
                rings.update(other for index, word in enumerate(found) if word == RING
                             for other in (found[index - 1], found[(index + 1) % 512]) if other and other % PAGE == 0)
            for ring in filter(lambda ring: peek(ring, 8), rings):
                message = struct.pack("Q", len(ENDED)) + ENDED
                written, = struct.unpack("Q", ctypes.string_at(ring, 8))
                for offset, byte in enumerate(message):
                    ctypes.memset(ring + PAGE + (written + offset) % (RING - PAGE), byte, 1)
                ctypes.memmove(ring, struct.pack("Q", written + len(message)), 8)
            if rings: time.sleep(5)
        "#
        mpk: Nothing, process: Violation, by: "key; a process is heard on what concerns itself",
        real: WithoutIn("process", "reports"),
    }
}
