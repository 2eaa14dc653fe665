//! What is no attack and must go on working in a domain. Libraries such as numpy are in the tests of `run`.

use crate::case::End::Works;
use crate::case::Proof::Missing;
use crate::case::attacks;

attacks! {
    ok1: "uses sqlite3, regular expressions, decimals, four threads and 50 MB" {
        r#"
        import decimal, hashlib, re, sqlite3, threading
        def attack(at):
            blocks = [bytearray(10 << 20) for _ in range(5)]
            digests = []
            threads = [threading.Thread(target=lambda block=block: digests.append(hashlib.sha256(block).hexdigest()))
                       for block in blocks[:4]]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            base = sqlite3.connect(":memory:")
            base.execute("create table numbers (number integer)")
            base.executemany("insert into numbers values (?)", [(number,) for number in range(100)])
            total = base.execute("select sum(number) from numbers").fetchone()[0]
            with tempfile.TemporaryFile() as file: file.write(b"written")
            return len(set(digests)) == 1 and total == 4950 and decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3") and \
                re.sub("a+", "b", "caat") == "cbt"
        "#
        mpk: Works, process: Works, by: "", real: Missing("no attack"),
    }
    ok2: "connects to a network that it was granted" {
        r#"
        import socket
        def attack(at):
            try:
                socket.create_connection(("127.0.0.1", 9), timeout=5)
            except ConnectionRefusedError:
                return "the network answered"
        "#
        with: "[functions.attack]\nnetwork = true\n",
        mpk: Works, process: Works, by: "", real: Missing("no attack"),
    }
    ok3: "starts a program, as it was granted, and ends it" {
        r#"
        import signal, subprocess
        def attack(at):
            child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
            # Older kernels cannot keep signals to it, so that there are none.
            if [int(part) for part in os.uname().release.split(".")[:2]] < [6, 12]:
                child.stdin.close()
                return child.wait() == 0 or None
            child.kill()
            return child.wait() == -signal.SIGKILL or None
        "#
        with: "[functions.attack]\nsubprocess = true\n",
        mpk: Works, process: Works, by: "", real: Missing("no attack"),
    }
}
