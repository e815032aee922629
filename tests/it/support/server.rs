//! What a database server of a test's own needs: programs that run without root's rights and end with the test, a folder
//! that is theirs, a port, and an ear for what they complain of.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The command for a program of a server, in that folder: it ends with the thread that started it, however that ends,
/// and has not root's rights, since nobody needs a password for it. Says which Debian package is missing, if one is.
pub fn server_program(folder: &Path, program: &str, package: &str) -> Command {
    assert!(
        Path::new(program).exists(),
        "{program} is missing: tests/run installs it, or: apt-get install {package}"
    );
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).stdin(Stdio::null()).current_dir(folder);
    // A server that starts clears the temporary tables of every other one that shares its folder.
    command.env("TMPDIR", folder);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    command.arg(program);
    command
}

/// Makes the folder theirs.
pub fn give_to_server(folder: &Path) {
    let owner = server_program(folder, "/usr/bin/id", "coreutils").arg("-u").output().unwrap();
    let owner: u32 = String::from_utf8(owner.stdout).unwrap().trim().parse().unwrap();
    std::os::unix::fs::chown(folder, Some(owner), None).unwrap();
}

/// A port below those that the system gives to outgoing connections, so that it is free still when
/// the server comes back.
pub fn free_port() -> u16 {
    loop {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes).unwrap();
        let port = 20_000 + u16::from_le_bytes(bytes) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a server complains of, as it comes.
pub fn complaints(child: &mut Child) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { return };
            // It goes on reading when nobody listens any more: a full pipe would halt the server.
            let _ = sender.send(line);
        }
    });
    receiver
}
