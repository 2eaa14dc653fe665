//! What a function has around it: descriptors, files, directory, environment, network.

use crate::case::End::{Nothing, Refused};
use crate::case::Proof::{Missing, SameDomain, Without, WithoutIn};
use crate::case::attacks;

attacks! {
    a36: "closes another's descriptor" {
        r#"
        def attack(at): os.close(at["descriptor"])
        "#
        mpk: Nothing, process: Nothing, by: "own descriptor table", real: WithoutIn("mpk", "descriptors"),
    }
    a37: "reads another's descriptor" {
        r#"
        def attack(at): return os.pread(at["descriptor"], 100, 0).decode()
        "#
        mpk: Nothing, process: Nothing, by: "own descriptor table", real: WithoutIn("mpk", "descriptors"),
    }
    a37b: "fetches another's descriptor (`pidfd_getfd`)" {
        r#"
        def attack(at):
            process = syscall("pidfd_open", at["pid"], 0)
            for descriptor in range(100):
                try:
                    return os.readlink(f"/proc/self/fd/{syscall('pidfd_getfd', process, descriptor, 0)}")
                except OSError as error:
                    last = error
            raise last
        "#
        mpk: Refused, process: Refused, by: "system-call filter",
        real: WithoutIn("process", "pidfd_open,pidfd_getfd,landlock,capabilities"),
    }
    a38: "reads a file that another left in its scratch directory" {
        r#"
        def attack(at): return open(at["file"]).read()
        "#
        mpk: Refused, process: Refused, by: "Landlock", real: Without("landlock"),
    }
    a39: "changes the working directory for all" {
        r#"
        def attack(at): os.chdir("/")
        "#
        mpk: Nothing, process: Nothing, by: "own working directory", real: WithoutIn("mpk", "directory"),
    }
    a40: "reads another's environment" {
        r#"
        def attack(at):
            if "KEPT_SECRET" in os.environ: return os.environ["KEPT_SECRET"]
            libc.getenv.restype = ctypes.c_char_p
            found = libc.getenv(b"KEPT_SECRET")
            return found and found.decode()
        "#
        mpk: Nothing, process: Nothing, by: "own environment, in a libc of its own", real: SameDomain,
    }
    a40b: "reads another's environment through `/proc/PID/environ`" {
        r#"
        def attack(at): return open(f"/proc/{at['pid']}/environ", "rb").read().decode() or "readable"
        "#
        mpk: Refused, process: Refused, by: "Landlock", real: Without("landlock,capabilities"),
    }
    a41: "reads `/etc/shadow`" {
        r#"
        def attack(at): return len(open("/etc/shadow").read())
        "#
        mpk: Refused, process: Refused, by: "Landlock", real: Without("landlock,capabilities"),
    }
    a42: "connects to a network that it was not granted" {
        r#"
        import socket
        def attack(at):
            try:
                socket.create_connection(("127.0.0.1", 9), timeout=5)
            except ConnectionRefusedError:
                pass
            return "the network answered"
        "#
        mpk: Refused, process: Refused, by: "no network but where `faastlane.toml` grants it", real: Without("network"),
    }
    a45: "writes into another's code" {
        r#"
        def attack(at):
            with open(os.path.join(os.path.dirname(__file__), "keep.py"), "a") as code: code.write("changed_by = 1\n")
            return "written"
        "#
        mpk: Refused, process: Refused, by: "Landlock", real: Without("landlock"),
    }
    a46: "starts a program" {
        r#"
        import subprocess
        def attack(at): return subprocess.run(["/bin/true"]).returncode == 0
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Missing("`subprocess` needs more than one call"),
    }
}
