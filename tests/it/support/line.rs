//! The network between a browser and the service, or between the service and its database, which can be cut: what is
//! under way ends, and nothing gets through until it is mended, then perhaps to somebody else.

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
    target: watch::Sender<String>,
    task: JoinHandle<()>,
}

impl Line {
    /// Lays one to that address.
    pub async fn to(url: &str) -> Self {
        let target = watch::Sender::new(url.trim_start_matches("http://").to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (is_up, seen) = watch::channel(true);
        let leads_to = target.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut seen, target) = (seen.clone(), leads_to.borrow().clone());
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
        Self { url, is_up, target, task }
    }

    /// Nothing gets through any more.
    pub fn cut(&self) {
        self.is_up.send_replace(false);
    }

    /// It leads there from the next connection on.
    pub fn lead_to(&self, address: &str) {
        self.target.send_replace(address.to_owned());
    }

    /// Its address without the scheme: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
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
