//! Misuse and help: what the terminal is told before anything is opened.

use std::process::{Command, Stdio};

use crate::support::{Office, kabar};

#[tokio::test]
async fn misuse_exits_with_two_and_says_how_it_is_meant() {
    let cases: [&[&str]; 7] = [
        &[],
        &["frobnicate"],
        &["serve", "--nope"],
        &["serve", "--role", "king"],
        &["token", "create", "--role", "king", "--name", "x"],
        &["import", "cards"],
        &["demo", "--listen"],
    ];
    for args in cases {
        let ended = kabar(args, b"").await;
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stdout.is_empty(), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains("Usage:") || ended.stderr.contains("--help"), "{ended:?}");
    }
}

#[tokio::test]
async fn help_and_version_are_no_failure() {
    for args in [["--help"], ["--version"]] {
        let ended = kabar(&args, b"").await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.to_lowercase().contains("kabar"), "{ended:?}");
        assert!(ended.stderr.is_empty(), "{ended:?}");
    }
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_a_failure_with_a_hint() {
    for command in [&["serve"][..], &["chat", "--as", "0812-3456-0001"], &["check"]] {
        let ended = kabar(&[command, &["-c", "/nowhere/kabar.toml"]].concat(), b"").await;
        assert_eq!(ended.code, Some(1), "{command:?}: {ended:?}");
        // `check` prints its findings; the others complain.
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(all.contains("/nowhere/kabar.toml cannot be read"), "{all}");
        assert!(all.contains("hint: `kabar init`"), "{all}");
    }
}

/// What becomes of a command whose words go there.
async fn told_into(office: &Office, stdout: Stdio, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.args(args).args(["-c", &office.config()]).env_clear().stdin(Stdio::null());
    let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads any more.
    drop(child.stdout.take());
    let ended =
        tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[tokio::test]
async fn who_has_read_enough_is_no_failure_but_what_is_lost_is() {
    let office = Office::init().await;
    let lists: [&[&str]; 4] =
        [&["answers", "list"], &["answers", "list", "--json"], &["ticket", "list"], &["survey"]];
    for args in lists {
        let (code, stderr) = told_into(&office, Stdio::piped(), args).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, stderr) = told_into(&office, full.into(), args).await;
        assert_eq!(code, Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("cannot be written") && !stderr.contains("panicked"), "{stderr}");
    }
}
