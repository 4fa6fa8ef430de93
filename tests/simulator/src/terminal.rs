//! A client at a terminal: typed lines go to the bot, what the bot sends is printed. Speaks to the control interface
//! only, so it works with a simulator in any process.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

use crate::Simulator;

const HELP: &str = "\
Type a line to send it. Commands:
  /photo [caption]   send a picture          /file [caption]   send a document
  /voice             send a voice note       /phone            share the phone number
  /reply ID TEXT     reply to a message      /edit ID TEXT     edit an own message
  /press ID DATA     press an inline button  /block /unblock   block or unblock the bot
  /quit              leave
";

/// Says where the simulator is and how to connect to it.
pub(crate) fn print_welcome(simulator: &Simulator) -> io::Result<()> {
    let base = simulator.base_url();
    let mut out = io::stdout().lock();
    writeln!(out, "Simulator of providers at {base}")?;
    for bot in simulator.telegram().bots() {
        writeln!(out, "  Telegram bot   @{}", bot.username())?;
        writeln!(out, "    API URL      {base}")?;
        writeln!(out, "    token        {}", bot.token())?;
        writeln!(out, "    as a client  uzel simulator chat --url {base} --token {}", bot.token())?;
    }
    writeln!(out, "  Control        {base}/control")?;
    out.flush()
}

/// Writes as the client called `name` from standard input to standard output until the input ends.
pub async fn chat(base_url: &str, bot_token: &str, name: &str) -> io::Result<()> {
    let input = BufReader::new(tokio::io::stdin());
    converse(base_url, bot_token, name, input, Box::new(io::stdout())).await
}

/// The same with any input and output.
pub async fn converse(
    base_url: &str,
    bot_token: &str,
    name: &str,
    input: impl AsyncBufRead + Unpin,
    output: Box<dyn Write + Send>,
) -> io::Result<()> {
    let session = Session::open(base_url, bot_token, name, output).await?;
    session
        .print(&format!("You are {name}, writing to {}. /help tells more.\n", session.bot_name))?;
    tokio::select! {
        ended = session.listen() => ended,
        typed = session.read_lines(input) => typed,
    }
}

struct Session {
    http: reqwest::Client,
    bot: String,
    client: String,
    chat: String,
    bot_name: String,
    output: Mutex<Box<dyn Write + Send>>,
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

impl Session {
    async fn open(
        base_url: &str,
        bot_token: &str,
        name: &str,
        output: Box<dyn Write + Send>,
    ) -> io::Result<Self> {
        let control = format!("{}/control/telegram", base_url.trim_end_matches('/'));
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(90))
            .build()
            .map_err(failed)?;
        let bots: Value = http
            .get(format!("{control}/bots"))
            .send()
            .await
            .map_err(failed)?
            .json()
            .await
            .map_err(failed)?;
        let bot = bots.as_array().into_iter().flatten().find(|bot| bot["token"] == bot_token);
        let bot = bot.ok_or_else(|| failed("the simulator has no bot with this token"))?;
        let spec = json!({
            // The same name is the same client the next time.
            "id": client_id(name),
            "first_name": name,
            "phone": format!("+7900{:07}", client_id(name) % 10_000_000),
            "language_code": "en",
        });
        let client: Value = http
            .post(format!("{control}/clients"))
            .json(&spec)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?
            .json()
            .await
            .map_err(failed)?;
        Ok(Self {
            http,
            client: format!("{control}/bots/{}/clients/{}", bot["id"], client["id"]),
            chat: format!("{control}/bots/{}/chats/{}", bot["id"], client["id"]),
            bot: format!("{control}/bots/{}", bot["id"]),
            bot_name: bot["first_name"].as_str().unwrap_or("the bot").to_owned(),
            output: Mutex::new(output),
        })
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(text.as_bytes())?;
        output.flush()
    }

    async fn read_lines(&self, input: impl AsyncBufRead + Unpin) -> io::Result<()> {
        let mut lines = input.lines();
        while let Some(line) = lines.next_line().await? {
            let line = line.trim();
            if line == "/quit" {
                break;
            }
            if line == "/help" {
                self.print(HELP)?;
            } else if !line.is_empty() {
                self.act(line).await?;
            }
        }
        Ok(())
    }

    async fn act(&self, line: &str) -> io::Result<()> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (id, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let caption = if rest.is_empty() { Value::Null } else { rest.into() };
        let id_number: i64 = id.parse().unwrap_or(0);
        let (path, body) = match command {
            "/start" => {
                ("start".to_owned(), json!({ "payload": (!rest.is_empty()).then_some(rest) }))
            }
            "/photo" => ("messages".to_owned(), json!({ "kind": "photo", "caption": caption })),
            "/file" => ("messages".to_owned(), json!({ "kind": "document", "caption": caption })),
            "/voice" => ("messages".to_owned(), json!({ "kind": "voice" })),
            "/phone" => ("messages".to_owned(), json!({ "kind": "contact" })),
            "/reply" => (
                "messages".to_owned(),
                json!({ "kind": "text", "text": text, "reply_to": id_number }),
            ),
            "/edit" => (format!("messages/{id_number}/edit"), json!({ "text": text })),
            "/press" => (format!("messages/{id_number}/press"), json!({ "data": text })),
            "/block" | "/unblock" => (command[1..].to_owned(), json!({})),
            _ => ("messages".to_owned(), json!({ "kind": "text", "text": line })),
        };
        let answer = self.http.post(format!("{}/{path}", self.client)).json(&body).send().await;
        let answer: Value = match answer {
            Ok(response) => response.json().await.unwrap_or_default(),
            Err(error) => {
                return self.print(&format!("! the simulator is away: {}\n", error.without_url()));
            }
        };
        if let Some(reason) = answer["error"].as_str() {
            return self.print(&format!("! {reason}\n"));
        }
        match answer["message_id"].as_i64() {
            Some(id) => self.print(&format!("    (sent as {id})\n")),
            None => Ok(()),
        }
    }

    async fn listen(&self) -> io::Result<()> {
        let mut after = 0;
        loop {
            let request = self
                .http
                .get(format!("{}/notices?after={after}&wait_ms=30000", self.chat))
                .send()
                .await;
            let Ok(response) = request else {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            };
            let notices: Value = response.json().await.unwrap_or_default();
            for notice in notices.as_array().into_iter().flatten() {
                after = notice["number"].as_u64().unwrap_or(after);
                self.print(&self.line(notice))?;
            }
        }
    }

    fn line(&self, notice: &Value) -> String {
        let (message, id) = (&notice["message"], &notice["message_id"]);
        let name = &self.bot_name;
        match notice["what"].as_str().unwrap_or_default() {
            "message" => format!("{name} [{id}] {}\n", self.described(message)),
            "edited" => format!("{name} [{id}, edited] {}\n", self.described(message)),
            "deleted" => format!("{name} deleted [{id}]\n"),
            "action" => format!("{name} is {} ...\n", notice["detail"].as_str().unwrap_or("busy")),
            "reaction" => format!(
                "{name} reacted to [{id}] {}\n",
                notice["detail"]["emoji"].as_str().unwrap_or("-")
            ),
            _ => format!(
                "{name} answered the button {}\n",
                notice["detail"].as_str().unwrap_or_default()
            ),
        }
    }

    fn described(&self, message: &Value) -> String {
        let mut parts = Vec::new();
        if let Some(replied) = message["reply_to_message"]["message_id"].as_i64() {
            parts.push(format!("(to {replied})"));
        }
        for kind in [
            "photo",
            "document",
            "video",
            "animation",
            "voice",
            "audio",
            "video_note",
            "sticker",
            "location",
        ] {
            let Some(file) = message.get(kind) else { continue };
            let file = file.as_array().and_then(|sizes| sizes.last()).unwrap_or(file);
            let name = file["file_name"].as_str().unwrap_or_default();
            let address = file["file_id"]
                .as_str()
                .map(|id| format!("{}/files/{id}", self.bot))
                .unwrap_or_default();
            parts.push(format!("<{kind} {name}> {address}"));
        }
        parts.extend(
            message["text"].as_str().or_else(|| message["caption"].as_str()).map(str::to_owned),
        );
        for button in message["reply_markup"]["inline_keyboard"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
        {
            for button in button {
                let text = button["text"].as_str().unwrap_or_default();
                let data = button["callback_data"].as_str().unwrap_or_default();
                parts.push(format!("[{text}: {data}]"));
            }
        }
        parts.join(" ")
    }
}

/// A user id from a name: stable, and in the range of real ids.
fn client_id(name: &str) -> i64 {
    let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    7_000_000_000 + (hash % 900_000_000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_client_every_time() {
        assert_eq!(client_id("Marta"), client_id("Marta"));
        assert_ne!(client_id("Marta"), client_id("Oleg"));
    }
}
