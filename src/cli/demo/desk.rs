//! The sample office's accounts and their counterparts in the sandbox, made together so that secrets
//! and addresses fit.

use std::time::Duration;

use kabar::channel::Provider;
use kabar::channel::sms::android::AndroidSettings;
use kabar::channel::telegram::{Mode, TelegramSettings};
use kabar::channel::whatsapp::WhatsappSettings;
use kabar::config::Account;
use kabar::domain::message::ChannelKind;
use kabar::sandbox::{AndroidPhone, Bot, Counterpart, WhatsappAccount};

use crate::cli::init::secret;

pub(super) const WHATSAPP: &str = "wa-demo";
const SMS: &str = "sms-demo";
const TELEGRAM: &str = "tg-demo";
const BOT: &str = "kabar_contoh_bot";

/// Accounts for the service, and who plays their providers.
pub(super) struct Desk {
    pub(super) accounts: Vec<Account>,
    pub(super) meta: WhatsappAccount,
    pub(super) others: Vec<Counterpart>,
}

impl Desk {
    /// A desk whose service and sandbox share the address `home`.
    pub(super) fn new(home: &str) -> anyhow::Result<Self> {
        let (access_token, app_secret) = (secret(32)?, secret(32)?);
        let (password, webhook_key) = (secret(16)?, secret(32)?);
        let (bot_token, webhook_secret) = (format!("7000000001:{}", secret(32)?), secret(32)?);
        let meta = WhatsappAccount {
            phone_number_id: "1000000001".to_owned(),
            waba_id: "2000000001".to_owned(),
            access_token: access_token.clone(),
            app_secret: app_secret.clone(),
            webhook_url: format!("{home}/hooks/whatsapp/{WHATSAPP}"),
            display_phone_number: "+62 811-0000-0000".to_owned(),
            label: "WhatsApp kantor".to_owned(),
        };
        let phone = AndroidPhone {
            id: SMS.to_owned(),
            label: "SMS kantor".to_owned(),
            username: "demo".to_owned(),
            password: password.clone(),
            webhook_key: webhook_key.clone(),
            number: "+6281100000001".to_owned(),
            webhook_url: format!("{home}/hooks/sms/{SMS}"),
        };
        let bot = Bot {
            id: TELEGRAM.to_owned(),
            label: "Bot Telegram".to_owned(),
            token: bot_token.clone(),
            username: BOT.to_owned(),
        };
        let whatsapp = Provider::Whatsapp(WhatsappSettings {
            api_url: format!("{home}/sandbox/v25.0"),
            phone_number_id: meta.phone_number_id.clone(),
            waba_id: meta.waba_id.clone(),
            portfolio: String::new(),
            access_token: access_token.into(),
            app_secret: app_secret.into(),
            verify_token: secret(32)?.into(),
        });
        let android = Provider::Android(AndroidSettings {
            api_url: format!("{home}/sandbox/android/3rdparty/v1"),
            username: phone.username.clone(),
            password: password.into(),
            webhook_key: webhook_key.into(),
            sim_number: None,
        });
        let telegram = Provider::Telegram(TelegramSettings {
            api_url: format!("{home}/sandbox/telegram"),
            bot_token: bot_token.into(),
            mode: Mode::Webhook,
            webhook_secret: Some(webhook_secret.into()),
            username: BOT.to_owned(),
            commands: Vec::new(),
        });
        Ok(Self {
            accounts: vec![
                account(WHATSAPP, ChannelKind::Whatsapp, whatsapp),
                // A real SIM sends a hundred an hour; nobody wants to wait for that here.
                Account {
                    rupiah_per_segment: Some(350),
                    ..account(SMS, ChannelKind::Sms, android)
                },
                account(TELEGRAM, ChannelKind::Telegram, telegram),
            ],
            meta,
            others: vec![Counterpart::Android(phone), Counterpart::Telegram(bot)],
        })
    }
}

fn account(id: &str, channel: ChannelKind, provider: Provider) -> Account {
    Account {
        id: id.to_owned(),
        channel,
        area: None,
        rate: (20, Duration::from_secs(1)),
        in_flight: 16,
        rupiah_per_segment: None,
        rupiah_per_message: None,
        daily_limit: None,
        provider,
    }
}
