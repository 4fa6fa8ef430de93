//! A keep-alive HTTP connection, as cheap as it gets: the generator shares the processors with what it
//! measures.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    out: Vec<u8>,
    input: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server does not answer")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, out: Vec::new(), input: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads the answer; the body stays in [`Self::body`] until the next one.
    /// `headers` are whole lines.
    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> anyhow::Result<Answer<'_>> {
        use std::io::Write as _;
        self.out.clear();
        write!(
            self.out,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )?;
        self.out.extend_from_slice(body);
        self.stream.write_all(&self.out).await?;
        self.input.clear();
        let (status, start, end) = loop {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                bail!("the connection was closed");
            }
            if let Some(answer) = parse_answer(&self.input)? {
                break answer;
            }
        };
        Ok(Answer { status, body: &self.input[start..end] })
    }
}

pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// Status and the range of the body, once all of it is there.
fn parse_answer(input: &[u8]) -> anyhow::Result<Option<(u16, usize, usize)>> {
    let Some(head_end) = memchr::memmem::find(input, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&input[..head_end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?;
    let mut length = 0;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("an answer in pieces is not expected here");
        }
    }
    let start = head_end + 4;
    Ok((input.len() >= start + length).then_some((status.parse()?, start, start + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let whole = b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\nx-a: b\r\n\r\nbody";
        assert_eq!(parse_answer(&whole[..20]).unwrap(), None);
        assert_eq!(parse_answer(&whole[..whole.len() - 1]).unwrap(), None);
        let (status, start, end) = parse_answer(whole).unwrap().unwrap();
        assert_eq!((status, &whole[start..end]), (201, &b"body"[..]));
    }
}
