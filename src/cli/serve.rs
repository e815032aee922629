//! `kabar serve`: the service, until it is asked to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kabar::service::{App, knowledge};
use kabar::worker::Workers;
use tokio::net::TcpListener;

use super::{ConfigArg, asked_to_stop, office};

/// Longest time open requests are waited for at a stop.
const LONGEST_GOODBYE: Duration = Duration::from_secs(5);

/// Which part of the service a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Role {
    /// Everything.
    All,
    /// HTTP only.
    Web,
    /// The loops only.
    Worker,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// What this process does
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let listen = config.listen.clone();
    let office = office::open(config).await?;
    let router = kabar::web::router(office.web);
    let listener = if args.role == Role::Worker { None } else { Some(bind(&listen).await?) };
    let workers =
        (args.role != Role::Web).then(|| Workers::start(&office.app, &owner(&office.app)));
    if workers.is_some() {
        warm_up(&office.app);
    }
    if let Some(listener) = listener {
        let address = listener.local_addr().context("no local address")?;
        tracing::info!("listening on http://{address}");
        // Requests in flight may end; a client that holds its connection open does not hold us.
        let served = axum::serve(listener, router).with_graceful_shutdown(asked_to_stop());
        let patience = async {
            asked_to_stop().await;
            tokio::time::sleep(LONGEST_GOODBYE).await;
        };
        tokio::select! {
            result = async { served.await } => result.context("HTTP")?,
            () = patience => {}
        }
    } else {
        asked_to_stop().await;
    }
    tracing::info!("stopping");
    if let Some(workers) = workers {
        workers.stop().await;
    }
    office.app.db.close().await;
    Ok(())
}

/// Learns now what citizens mean, so that the first who asks does not wait for it.
pub(super) fn warm_up(app: &Arc<App>) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = knowledge::understanding(&app).await {
            tracing::warn!("learning is put off to the first question: {error}");
        }
    });
}

/// A name for this process that no other has.
pub(super) fn owner(app: &Arc<App>) -> String {
    let id: kabar::domain::id::AttemptId = app.ids.next(app.now());
    format!("{}-{id}", std::process::id())
}

pub(super) async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| {
        super::hinted(
            format!("cannot listen on {listen}: {error}"),
            "another program may use the port; choose one with --listen or server.listen, port 0 takes a free one",
        )
    })
}
