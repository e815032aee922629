//! The accounts of `kabar sandbox`: what is played, and the `[[account]]` a service reads to fit it.
//!
//! Nothing here is secret: the same words at every start let a configuration live on.

use std::fmt;
use std::net::SocketAddr;

use kabar::sandbox::{
    AndroidPhone, Bot, Counterpart, KannelUser, SmppAccount, TwilioAccount, WhatsappAccount,
    ZenzivaAccount,
};
use toml::Value;

const WHATSAPP: &str = "wa-sandbox";
const TELEGRAM: &str = "tg-sandbox";
const ANDROID: &str = "sms-android";
const TWILIO: &str = "sms-twilio";
const ZENZIVA: &str = "sms-zenziva";
const KANNEL: &str = "sms-kannel";
const SMPP: &str = "sms-smpp";

/// What proves itself to whom.
const SECRET: &str = "sandbox-secret";
/// SMPP takes eight characters.
const SHORT_SECRET: &str = "sandbox";
const USER: &str = "sandbox";

/// Where everybody is.
pub(super) struct Places<'a> {
    /// The sandbox: `http://127.0.0.1:8090`.
    pub(super) home: &'a str,
    /// Its message centre.
    pub(super) smpp: SocketAddr,
    /// The service: `http://127.0.0.1:8080`.
    pub(super) service: &'a str,
}

impl Places<'_> {
    fn hook(&self, channel: &str, id: &str) -> String {
        format!("{}/hooks/{channel}/{id}", self.service)
    }
}

/// One `[[account]]`, its keys in the order they are shown.
pub(super) struct Table(Vec<(&'static str, Value)>);

impl Table {
    fn new(id: &str, channel: &str) -> Self {
        Self(Vec::new()).with("id", id).with("channel", channel)
    }

    fn sms(id: &str, gateway: &str) -> Self {
        Self::new(id, "sms").with("gateway", gateway)
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((key, value.into()));
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[[account]]\n")?;
        self.0.iter().try_for_each(|(key, value)| writeln!(f, "{key} = {value}"))
    }
}

/// WhatsApp.
pub(super) fn whatsapp(places: &Places<'_>, webhook: Option<String>) -> (WhatsappAccount, Table) {
    let account = WhatsappAccount {
        phone_number_id: "1000000001".to_owned(),
        waba_id: "2000000001".to_owned(),
        access_token: "sandbox-token".to_owned(),
        app_secret: SECRET.to_owned(),
        webhook_url: webhook.unwrap_or_else(|| places.hook("whatsapp", WHATSAPP)),
        display_phone_number: "+62 811-0000-0000".to_owned(),
        label: "WhatsApp".to_owned(),
    };
    let table = Table::new(WHATSAPP, "whatsapp")
        .with("api_url", format!("{}/v25.0", places.home))
        .with("phone_number_id", account.phone_number_id.as_str())
        .with("waba_id", account.waba_id.as_str())
        .with("access_token", account.access_token.as_str())
        .with("app_secret", SECRET)
        .with("verify_token", "sandbox");
    (account, table)
}

/// All the others.
pub(super) fn others(places: &Places<'_>) -> Vec<(Counterpart, Table)> {
    vec![
        telegram(places),
        android(places),
        twilio(places),
        zenziva(places),
        kannel(places),
        smpp(places),
    ]
}

fn telegram(places: &Places<'_>) -> (Counterpart, Table) {
    let bot = Bot {
        id: TELEGRAM.to_owned(),
        label: "Telegram".to_owned(),
        token: "7000000001:sandbox-token".to_owned(),
        username: "kabar_sandbox_bot".to_owned(),
    };
    let table = Table::new(TELEGRAM, "telegram")
        .with("api_url", format!("{}/telegram", places.home))
        .with("bot_token", bot.token.as_str())
        .with("username", bot.username.as_str())
        .with("webhook_secret", SECRET);
    (Counterpart::Telegram(bot), table)
}

fn android(places: &Places<'_>) -> (Counterpart, Table) {
    let phone = AndroidPhone {
        id: ANDROID.to_owned(),
        label: "SMS, Android".to_owned(),
        username: USER.to_owned(),
        password: SECRET.to_owned(),
        webhook_key: SECRET.to_owned(),
        number: "+6281100000001".to_owned(),
        webhook_url: places.hook("sms", ANDROID),
    };
    let table = Table::sms(ANDROID, "android")
        .with("api_url", format!("{}/android/3rdparty/v1", places.home))
        .with("username", USER)
        .with("password", SECRET)
        .with("webhook_key", SECRET)
        // A real SIM sends a hundred an hour; nobody wants to wait for that here.
        .with("messages_per_second", 20);
    (Counterpart::Android(phone), table)
}

fn twilio(places: &Places<'_>) -> (Counterpart, Table) {
    let account = TwilioAccount {
        id: TWILIO.to_owned(),
        label: "SMS, Twilio".to_owned(),
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        auth_token: SECRET.to_owned(),
        sender: "+6281100000002".to_owned(),
        inbound_url: format!("{}/inbound", places.hook("sms", TWILIO)),
    };
    let table = Table::sms(TWILIO, "twilio")
        .with("api_url", format!("{}/twilio", places.home))
        .with("account_sid", account.account_sid.as_str())
        .with("auth_token", SECRET)
        .with("sender", account.sender.as_str());
    (Counterpart::Twilio(account), table)
}

fn zenziva(places: &Places<'_>) -> (Counterpart, Table) {
    let account = ZenzivaAccount {
        id: ZENZIVA.to_owned(),
        label: "SMS, Zenziva".to_owned(),
        userkey: USER.to_owned(),
        passkey: SECRET.to_owned(),
    };
    let table = Table::sms(ZENZIVA, "zenziva")
        .with("api_url", format!("{}/zenziva", places.home))
        .with("userkey", USER)
        .with("passkey", SECRET);
    (Counterpart::Zenziva(account), table)
}

fn kannel(places: &Places<'_>) -> (Counterpart, Table) {
    let user = KannelUser {
        id: KANNEL.to_owned(),
        label: "SMS, Kannel".to_owned(),
        username: USER.to_owned(),
        password: SECRET.to_owned(),
        sender: "+6281100000003".to_owned(),
        inbound_url: format!("{}/mo?s={SECRET}", places.hook("sms", KANNEL)),
    };
    let table = Table::sms(KANNEL, "kannel")
        .with("api_url", format!("{}/kannel", places.home))
        .with("username", USER)
        .with("password", SECRET)
        .with("sender", user.sender.as_str())
        .with("webhook_secret", SECRET);
    (Counterpart::Kannel(user), table)
}

fn smpp(places: &Places<'_>) -> (Counterpart, Table) {
    let account = SmppAccount {
        id: SMPP.to_owned(),
        label: "SMS, SMPP".to_owned(),
        system_id: USER.to_owned(),
        password: SHORT_SECRET.to_owned(),
        sender: "+6281100000004".to_owned(),
    };
    let table = Table::sms(SMPP, "smpp")
        .with("host", places.smpp.ip().to_string())
        .with("port", i64::from(places.smpp.port()))
        .with("system_id", USER)
        .with("password", SHORT_SECRET)
        .with("sender", account.sender.as_str());
    (Counterpart::Smpp(account), table)
}
