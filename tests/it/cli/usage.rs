//! Misuse and help: what the terminal is told before anything is opened.

use crate::support::kabar;

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
