//! `kabar sandbox`: the local stand-in for WhatsApp alone, for a service of one's own.

use std::sync::Arc;

use anyhow::Context as _;
use kabar::domain::clock::SystemClock;
use kabar::sandbox::{Sandbox, Settings, Template, WhatsappAccount};
use kabar::template::Templates;

use super::{asked_to_stop, office, serve};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: String,
    /// Where its webhooks go
    #[arg(long, default_value = "http://127.0.0.1:8080/hooks/whatsapp/wa-sandbox")]
    webhook: String,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let listener = serve::bind(&args.listen).await?;
    let address = listener.local_addr().context("no local address")?;
    let account = WhatsappAccount {
        phone_number_id: "1000000001".to_owned(),
        waba_id: "2000000001".to_owned(),
        access_token: "sandbox-token".to_owned(),
        app_secret: "sandbox-secret".to_owned(),
        webhook_url: args.webhook,
        display_phone_number: "+62 811-0000-0000".to_owned(),
        label: "Kabar".to_owned(),
    };
    println!("Phones page: http://{address}/");
    println!("Put this into kabar.toml, and post card updates to your service:\n");
    println!(
        "[[account]]\nid = \"wa-sandbox\"\nchannel = \"whatsapp\"\napi_url = \"http://{address}/v25.0\""
    );
    println!(
        "phone_number_id = \"{}\"\nwaba_id = \"{}\"",
        account.phone_number_id, account.waba_id
    );
    println!(
        "access_token = \"{}\"\napp_secret = \"{}\"\nverify_token = \"sandbox\"\n",
        account.access_token, account.app_secret
    );
    let mut settings = Settings::new(vec![account], Arc::new(SystemClock));
    settings.templates = registered(&office::texts(None)?.0);
    let sandbox = Sandbox::new(settings)?;
    kabar::sandbox::serve(listener, sandbox, asked_to_stop()).await.context("HTTP")
}

/// Our announcements as Meta would have them after approval.
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
                template.category.clone_from(&announcement.category);
                template
            })
            .collect::<Vec<_>>()
    };
    templates.announcements().flat_map(one).collect()
}
