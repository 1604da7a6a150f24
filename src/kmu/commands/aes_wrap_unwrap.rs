//! `aesWrapUnwrap`

use zeroize::Zeroizing;

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::files::{exists, read};
use crate::kmu::frame::{line, returned};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{
    UNWRAP_HOST, must_be_another, must_be_writable, nodes_with, not_read, quiet_step, unwrapped_for_caller,
    write_public, write_secret,
};
use crate::kmu::wrapping::DEFAULT_IV;
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::SecretBytes;
use crate::protocol::key::KeyHandle;
use crate::protocol::wrap::{WrapHost, WrappedBytes};
use crate::protocol::wrapping::WrapMechanism;

pub(super) static COMMAND: Command = Command {
    name: "aesWrapUnwrap",
    arguments: &[MODE, FILE, WRAPPING, IV, OUT],
    summary: "Does NIST AES Wrap/Unwrap",
    description: "\
Encrypts the content of a file with an AES key of the HSM (AES key wrap, after PKCS #5 padding), or decrypts what it
encrypted, and writes the result to a file and, in hexadecimal digits, to the console. If others must approve the use of the key, this uses up an approved token
of service 5 (USE_KEY).",
    example: "aesWrapUnwrap -f 3DES.key -w 6 -m 1 -out 3DES.key.wrapped",
    permission: Some(Permission::of::<WrapHost>()),
    build: |given| {
        Ok(Box::new(AesWrapUnwrap {
            mode: Mode::parse(given.number(&MODE)?)?,
            file: given.text(&FILE)?,
            wrapping: given.handle(&WRAPPING)?,
            iv: given.maybe(&IV, Given::text)?,
            out: given.maybe(&OUT, Given::text)?,
        }))
    },
};

const MODE: Argument = Argument::flag("-m", "1 or 0", Kind::Number, "Mode").help("1 = wrap, 0 = unwrap");
const FILE: Argument = Argument::flag("-f", "file", Kind::File, "File name")
    .help("file to be wrapped, of less than 4096 bytes, or unwrapped");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "wrapping key handle")
    .help("handle of an AES key: with OBJ_ATTR_ENCRYPT to wrap, with OBJ_ATTR_DECRYPT to unwrap");
const IV: Argument = Argument::option("-i", "wrapping-IV", Kind::Text, "IV")
    .help("8 bytes in hexadecimal digits: only A6A6A6A6A6A6A6A6, the default");
const OUT: Argument = Argument::option("-out", "output-file", Kind::File, "Output file")
    .help("file to write to; without it wrapped_key or unwrapped_key");

struct AesWrapUnwrap {
    mode: Mode,
    file: String,
    wrapping: KeyHandle,
    iv: Option<String>,
    out: Option<String>,
}

#[derive(Clone, Copy)]
enum Mode {
    Wrap,
    Unwrap,
}

impl Mode {
    fn parse(number: u32) -> Result<Self, Usage> {
        match number {
            0 => Ok(Self::Unwrap),
            1 => Ok(Self::Wrap),
            _ => Err(Usage::Wrong("wrapping or unwrapping mode should be 0 or 1.")),
        }
    }

    fn call(self) -> &'static str {
        match self {
            Self::Wrap => "WrapHostKey",
            Self::Unwrap => UNWRAP_HOST,
        }
    }

    /// A wrapped file is longer, by padding and IV.
    fn limit(self) -> u64 {
        match self {
            Self::Wrap => 4095,
            Self::Unwrap => 4095 + 1 + 8,
        }
    }

    fn default_file(self) -> &'static str {
        match self {
            Self::Wrap => "wrapped_key",
            Self::Unwrap => "unwrapped_key",
        }
    }
}

impl Action for AesWrapUnwrap {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let out = self.out.as_deref().unwrap_or_else(|| self.mode.default_file());
        let warning = iv_warning(self.iv.as_deref())?;
        let input = read(&self.file, self.mode.limit())
            .map(Zeroizing::new)
            .map_err(|reason| not_read(&self.file, &reason))?;
        must_be_writable(out)?;
        must_be_another("-out", out, &self.file)?;
        session.print(warning);
        let result = self.result(session, input);
        if result.is_err() && !exists(out) {
            // As the original does: a script that goes on finds nothing that it could take for the result.
            self.write(out, &[])?;
        }
        let result = result?;
        self.write(out, &result)?;
        let written = format!("\nresult written to file {out}\n");
        Ok(format!("result data:\n{}", *dump(&result))
            + &written
            + &returned(self.mode.call(), Code::SUCCESS))
    }
}

impl AesWrapUnwrap {
    fn write(&self, out: &str, content: &[u8]) -> Result<(), Stop> {
        match self.mode {
            Mode::Wrap => write_public(out, content),
            Mode::Unwrap => write_secret(out, content),
        }
    }

    fn result(
        &self,
        session: &mut Session<'_>,
        input: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, Stop> {
        let (wrapping, mechanism) = (self.wrapping, WrapMechanism::AesWrapPkcs5);
        let nodes = nodes_with(session, &[wrapping]);
        match self.mode {
            Mode::Wrap => {
                let wrap = WrapHost { wrapping, mechanism, data: SecretBytes::new(input) };
                let (_, wrapped) = quiet_step(session, self.mode.call(), &nodes, wrap)?;
                Ok(Zeroizing::new(wrapped.bytes))
            }
            Mode::Unwrap => {
                let wrapped = WrappedBytes { bytes: input.to_vec(), iv: Vec::new() };
                let value = unwrapped_for_caller(session, &nodes, wrapping, wrapped)?;
                Ok(Zeroizing::new(value.expose().to_vec()))
            }
        }
    }
}

/// Accepts the one IV that an HSM uses.
fn iv_warning(iv: Option<&str>) -> Result<&'static str, Stop> {
    let Some(word) = iv else {
        return Ok("\n\tWarning: IV (-i) is missing.\n\t\t 0xA6A6A6A6A6A6A6A6 is considered as default IV\n");
    };
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let Ok(bytes) = data_encoding::HEXUPPER_PERMISSIVE.decode(digits.as_bytes()) else {
        return Err(Stop::failed(line(&format!("Error: The IV {word} is not hexadecimal"))));
    };
    match bytes.len() {
        8 if bytes == DEFAULT_IV => Ok("\n"),
        8 => Err(Stop::failed(line("Error: An HSM accepts the IV A6A6A6A6A6A6A6A6 only."))),
        length => Err(Stop::failed(line(&format!("Error: Invalid IV length {length}")))),
    }
}

/// Eight bytes in a line.
fn dump(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = String::with_capacity(bytes.len().saturating_mul(4));
    for row in bytes.chunks(8) {
        row.iter().for_each(|byte| text.push_str(&format!("{byte:02X} ")));
        text.push('\n');
    }
    Zeroizing::new(text)
}
