//! `kabar sandbox`: local stand-ins for every provider, for a service of one's own.

mod desk;

use std::sync::Arc;

use anyhow::Context as _;
use kabar::domain::attachment::FileKind;
use kabar::domain::clock::SystemClock;
use kabar::sandbox::{Sandbox, Settings, Template};
use kabar::template::Templates;
use tokio::net::TcpListener;

use self::desk::Places;
use super::{asked_to_stop, hinted, office, serve};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: String,
    /// Address and port of its message centre, for SMPP
    #[arg(long, default_value = "127.0.0.1:2775")]
    smpp: String,
    /// Where the service listens; webhooks go to URL/hooks/…
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    service: String,
    /// Where WhatsApp's webhooks go, if elsewhere
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    for url in [Some(&args.service), args.webhook.as_ref()].into_iter().flatten() {
        check(url)?;
    }
    let listener = serve::bind(&args.listen).await?;
    let centre = bind_centre(&args.smpp).await?;
    let home = format!("http://{}", listener.local_addr().context("no local address")?);
    let service = args.service.trim_end_matches('/');
    let smpp = centre.local_addr().context("no local address")?;
    let places = Places { home: &home, smpp, service };
    let (meta, table) = desk::whatsapp(&places, args.webhook);
    let (others, mut tables): (Vec<_>, Vec<_>) = desk::others(&places).into_iter().unzip();
    tables.insert(0, table);
    let mut settings = Settings::new(vec![meta], Arc::new(SystemClock));
    settings.others = others;
    settings.templates = registered(&office::texts(None)?.0);
    let sandbox = Sandbox::new(settings)?;

    println!("Phones page: {home}/\n");
    println!("Put what you want to try into kabar.toml, and server.public_url = {service:?}.");
    println!("Where several SMS accounts serve an area, the first one sends.\n");
    for table in &tables {
        println!("{table}");
    }
    println!("Then post card updates to your service. Ctrl-C ends it.");
    let http = async {
        let http = kabar::sandbox::serve(listener, sandbox.clone(), asked_to_stop());
        http.await.context("HTTP")
    };
    // Ends with the other.
    let smpp = async { sandbox.serve_smpp(centre, std::future::pending()).await.context("SMPP") };
    tokio::try_join!(http, smpp).map(|_| ())
}

async fn bind_centre(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| {
        hinted(
            format!("cannot listen on {listen}: {error}"),
            "another program may use the port; choose one with --smpp, port 0 takes a free one",
        )
    })
}

fn check(url: &str) -> anyhow::Result<()> {
    let is_url = url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    if is_url {
        Ok(())
    } else {
        Err(hinted(
            format!("{url:?} is no address of a service"),
            "write it like http://127.0.0.1:8080",
        ))
    }
}

/// Our announcements and notices as Meta would have them after approval.
pub(super) fn registered(templates: &Templates) -> Vec<Template> {
    let one = |announcement: &kabar::template::AnnouncementTemplate| {
        announcement
            .wordings()
            .map(|wording| {
                let mut template = Template::new(
                    &wording.template,
                    &announcement.language,
                    &wording.whatsapp_body(),
                );
                template.footer.clone_from(&announcement.footer);
                template.buttons = wording.buttons.iter().map(|one| one.title.clone()).collect();
                template.category.clone_from(&announcement.category);
                template
            })
            .collect::<Vec<_>>()
    };
    let notice = templates.broadcast();
    let of_notice = |name: &str, header: Option<&str>| Template {
        header: header.map(str::to_owned),
        footer: notice.footer.clone(),
        category: notice.category.clone(),
        ..Template::new(name, &notice.language, &notice.whatsapp_body())
    };
    let with_file = |kind, header| Some(of_notice(notice.with_file(kind)?, Some(header)));
    let notices = [
        Some(of_notice(notice.name(), None)),
        with_file(FileKind::Png, "image"),
        with_file(FileKind::Pdf, "document"),
    ];
    templates.announcements().flat_map(one).chain(notices.into_iter().flatten()).collect()
}
