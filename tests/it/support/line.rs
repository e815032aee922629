//! The network between a browser and the service, which can be cut as on the way between two villages: what is under
//! way ends, and nothing gets through until it is mended.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A line to the service.
#[derive(Debug)]
pub struct Line {
    /// The address at this end.
    pub url: String,
    is_up: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Line {
    /// Lays one to that address.
    pub async fn to(url: &str) -> Self {
        let target = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (is_up, seen) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut seen, target) = (seen.clone(), target.clone());
                tokio::spawn(async move {
                    if !*seen.borrow_and_update() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = seen.wait_for(|is_up| !is_up) => {}
                    }
                });
            }
        });
        Self { url, is_up, task }
    }

    /// Nothing gets through any more.
    pub fn cut(&self) {
        self.is_up.send_replace(false);
    }

    /// It is as before.
    pub fn mend(&self) {
        self.is_up.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}
