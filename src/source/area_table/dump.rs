//! The rows that an SQL dump puts into the table `wilayah`, as databases write them.
//!
//! Understands texts, comments and lists of values, and nothing else; every other statement is
//! passed over. Holds one tuple at a time.

use std::io::{self, BufRead};

use encoding_rs::WINDOWS_1252;

use super::{AreaEntry, RowError};

/// Longest text or word, in bytes.
const MAX_TOKEN: usize = 64 * 1024;
/// Most values of a tuple that are read.
const MAX_VALUES: usize = 100;

/// The tuples of a dump.
#[derive(Debug)]
pub struct Dump<R> {
    source: R,
    read: u64,
    line: u64,
    /// Which values are the code and the name, while the values of the table are being listed.
    places: Option<(usize, usize)>,
    is_done: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A keyword, a name in whatever quotes, a number.
    Word(String),
    /// A text in single quotation marks.
    Text(String),
    Mark(u8),
    End,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

impl<R: BufRead> Dump<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, read: 0, line: 1, places: None, is_done: false }
    }

    /// Bytes read so far.
    pub(super) const fn reached(&self) -> u64 {
        self.read
    }

    fn peek(&mut self) -> Result<Option<u8>, RowError> {
        let row = self.line;
        let buffer = self.source.fill_buf().map_err(|source| RowError::Broken { row, source })?;
        Ok(buffer.first().copied())
    }

    fn take(&mut self) -> Result<Option<u8>, RowError> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.source.consume(1);
            self.read += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    fn broken(&self, what: &'static str) -> RowError {
        let source = io::Error::new(io::ErrorKind::InvalidData, what);
        RowError::Broken { row: self.line, source }
    }

    fn token(&mut self) -> Result<Token, RowError> {
        loop {
            match self.take()? {
                None => return Ok(Token::End),
                Some(b'#') => self.skip_line()?,
                Some(b'-') if self.peek()? == Some(b'-') => self.skip_line()?,
                Some(b'/') if self.peek()? == Some(b'*') => self.skip_comment()?,
                Some(b'\'') => return self.quoted(b'\'').map(Token::Text),
                Some(quote @ (b'`' | b'"')) => return self.quoted(quote).map(Token::Word),
                Some(byte) if is_of_word(byte) => return self.word(byte),
                // Of two-byte texts and the mark of UTF-8 nothing is needed.
                Some(byte) if byte.is_ascii_whitespace() || !byte.is_ascii() => {}
                Some(byte) => return Ok(Token::Mark(byte)),
            }
        }
    }

    fn skip_line(&mut self) -> Result<(), RowError> {
        while !matches!(self.take()?, None | Some(b'\n')) {}
        Ok(())
    }

    fn skip_comment(&mut self) -> Result<(), RowError> {
        let mut last = b' ';
        self.take()?;
        while let Some(byte) = self.take()? {
            if (last, byte) == (b'*', b'/') {
                return Ok(());
            }
            last = byte;
        }
        Err(self.broken("a comment does not end"))
    }

    fn word(&mut self, first: u8) -> Result<Token, RowError> {
        let mut word = vec![first];
        while let Some(byte) = self.peek()?.filter(|byte| is_of_word(*byte)) {
            if word.len() == MAX_TOKEN {
                return Err(RowError::TooLong { row: self.line });
            }
            self.take()?;
            word.push(byte);
        }
        Ok(Token::Word(text(word)))
    }

    /// Up to the closing mark, which stands in a text twice or behind `\`.
    fn quoted(&mut self, quote: u8) -> Result<String, RowError> {
        let mut bytes = Vec::new();
        let row = self.line;
        while let Some(byte) = self.take()? {
            if bytes.len() == MAX_TOKEN {
                return Err(RowError::TooLong { row });
            }
            match byte {
                b'\\' if quote == b'\'' => match self.take()? {
                    Some(b'n' | b'r' | b't' | b'0') => bytes.push(b' '),
                    Some(byte) => bytes.push(byte),
                    None => break,
                },
                _ if byte == quote && self.peek()? == Some(quote) => {
                    self.take()?;
                    bytes.push(quote);
                }
                _ if byte == quote => return Ok(text(bytes)),
                byte => bytes.push(byte),
            }
        }
        Err(RowError::TooLong { row })
    }

    /// Goes on to the next tuple of the table, and reads it.
    fn tuple(&mut self) -> Result<Option<AreaEntry>, RowError> {
        loop {
            let token = self.token()?;
            match (&token, self.places) {
                (Token::End, _) => return Ok(None),
                (Token::Mark(b'('), Some(places)) => return self.values(places).map(Some),
                (Token::Mark(b','), Some(_)) => {}
                // The end of the statement, or what follows the values in it.
                (_, Some(_)) => self.places = None,
                (Token::Word(_), None) if token.is("insert") || token.is("replace") => {
                    self.places = self.head()?;
                }
                _ => {}
            }
        }
    }

    /// `INTO wilayah (kode, nama) VALUES`: where code and name are, if it is that table.
    fn head(&mut self) -> Result<Option<(usize, usize)>, RowError> {
        let (mut table, mut columns, mut is_list) = (String::new(), Vec::new(), false);
        loop {
            match self.token()? {
                Token::Word(word) if is_list && columns.len() < MAX_VALUES => {
                    columns.push(word.to_ascii_lowercase());
                }
                token if token.is("values") => break,
                Token::Word(word) => table = word.to_ascii_lowercase(),
                Token::Mark(mark @ (b'(' | b')')) => is_list = mark == b'(',
                Token::End | Token::Mark(b';') => return Ok(None),
                Token::Text(_) | Token::Mark(_) => {}
            }
        }
        let place = |names: [&str; 2], usual| match columns.as_slice() {
            [] => Some(usual),
            all => all.iter().position(|column| names.contains(&column.as_str())),
        };
        let places = place(["kode", "code"], 0).zip(place(["nama", "name"], 1));
        Ok(places.filter(|_| table == "wilayah"))
    }

    fn values(&mut self, (code, name): (usize, usize)) -> Result<AreaEntry, RowError> {
        let row = self.line;
        let (mut values, mut value) = (Vec::new(), String::new());
        loop {
            match self.token()? {
                Token::Word(word) if word.eq_ignore_ascii_case("null") => {}
                Token::Text(part) | Token::Word(part) => value.push_str(&part),
                // Of a number.
                Token::Mark(mark @ (b'.' | b'-')) => value.push(char::from(mark)),
                Token::Mark(mark @ (b',' | b')')) => {
                    values.push(std::mem::take(&mut value));
                    if mark == b')' {
                        break;
                    }
                }
                Token::Mark(_) | Token::End => {
                    return Err(self.broken("a list of values does not end"));
                }
            }
            if value.len() > MAX_TOKEN || values.len() > MAX_VALUES {
                return Err(RowError::TooLong { row });
            }
        }
        let value = |place: usize| values.get(place).cloned().unwrap_or_default();
        Ok(AreaEntry { row, code: value(code), name: value(name), ..AreaEntry::default() })
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned()
    })
}

impl<R: BufRead> Iterator for Dump<R> {
    type Item = Result<AreaEntry, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.tuple().transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(u64, String, String), u64>> {
        let entry = |entry: AreaEntry| (entry.row, entry.code, entry.name);
        let error = |error: RowError| error.row();
        Dump::new(text.as_bytes()).map(|row| row.map(entry).map_err(error)).collect()
    }

    fn row(line: u64, code: &str, name: &str) -> (u64, String, String) {
        (line, code.to_owned(), name.to_owned())
    }

    #[test]
    fn only_the_tuples_of_that_table_are_read() {
        let dump = "-- INSERT INTO wilayah VALUES ('99','no');\n/*!40101 SET x='1' */;\n\
                    CREATE TABLE `wilayah` (`kode` varchar(13), note text DEFAULT 'a;b');\n\
                    INSERT INTO wilayah VALUES ('10','Lama'); INSERT INTO wilayah VALUES ('10.01','Lama');\n\
                    INSERT INTO pulau (kode, nama) VALUES ('11','no'),('12','no');\n\
                    INSERT IGNORE INTO `db`.`wilayah` (`nama`, `luas`, `kode`) VALUES\n\
                    ('Aceh', -1.5, '11'), # a remark\n('Ba''u', NULL, '11.01') ON DUPLICATE KEY;\n\
                    REPLACE INTO wilayah VALUES (12.01,'Sumatera \\'Utara\\'\\n');\n";
        assert_eq!(
            read(dump),
            [
                Ok(row(4, "10", "Lama")),
                Ok(row(4, "10.01", "Lama")),
                Ok(row(7, "11", "Aceh")),
                Ok(row(8, "11.01", "Ba'u")),
                Ok(row(9, "12.01", "Sumatera 'Utara' "))
            ]
        );
    }

    #[test]
    fn a_dump_that_breaks_off_is_an_error_at_its_line() {
        let start = "INSERT INTO wilayah (kode,nama) VALUES\n('11','Aceh'),\n";
        for rest in ["('12','Sum", "('12'", "('12';", "/* x"] {
            assert_eq!(
                read(&format!("{start}{rest}")),
                [Ok(row(2, "11", "Aceh")), Err(3)],
                "{rest}"
            );
        }
        let endless = format!("{start}('{}", "x".repeat(1_000_000));
        assert_eq!(read(&endless), [Ok(row(2, "11", "Aceh")), Err(3)]);
    }

    #[test]
    fn a_name_in_windows_1252_keeps_its_letters() {
        let dump = [b"INSERT INTO wilayah VALUES ('11','Kab. Pasir\xe9');".as_slice()].concat();
        let read = Dump::new(&dump[..]).next().unwrap().unwrap();
        assert_eq!(read.name, "Kab. Pasiré");
    }
}
