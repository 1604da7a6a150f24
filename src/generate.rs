//! What else clap makes of a program's command line: completion scripts and the manual page.

use std::io;

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// `--generate`, which every program has.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// The manual page
    Man,
}

/// The text of one kind, for a program that has the name of its command.
///
/// # Errors
///
/// If clap cannot write it, which memory gives no cause for.
pub fn generate(command: Command, kind: Kind) -> io::Result<Vec<u8>> {
    match kind {
        Kind::Bash => Ok(completions(command, Shell::Bash)),
        Kind::Zsh => Ok(completions(command, Shell::Zsh)),
        Kind::Fish => Ok(completions(command, Shell::Fish)),
        Kind::Man => manual_page(command),
    }
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// One page for a program and its subcommands.
fn manual_page(command: Command) -> io::Result<Vec<u8>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let (page, mut written) = (Man::new(command.clone()), Vec::new());
    page.render_title(&mut written)?;
    page.render_name_section(&mut written)?;
    page.render_synopsis_section(&mut written)?;
    page.render_description_section(&mut written)?;
    page.render_options_section(&mut written)?;
    for subcommand in command.get_subcommands() {
        describe(subcommand, &mut written)?;
    }
    note("SH", &command).to_writer(&mut written)?;
    page.render_version_section(&mut written)?;
    Ok(written)
}

/// A section for a subcommand, or for each of its own. clap would refer to pages that are not there.
fn describe(command: &Command, written: &mut Vec<u8>) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        describe(subcommand, written)?;
    }
    if command.has_subcommands() {
        return Ok(());
    }
    Roff::new().control("SH", [command.get_bin_name().unwrap_or_default()]).to_writer(written)?;
    // What every subcommand takes is told once, above.
    let own =
        command.clone().mut_args(|option| if option.is_global_set() { option.hide(true) } else { option });
    let (page, mut sections) = (Man::new(own), Vec::new());
    page.render_synopsis_section(&mut sections)?;
    page.render_description_section(&mut sections)?;
    page.render_options_section(&mut sections)?;
    written.extend_from_slice(String::from_utf8_lossy(&sections).replace("\n.SH ", "\n.SS ").as_bytes());
    note("SS", command).to_writer(written)
}

/// Examples and exit codes, line by line: filled, a table is none any more.
fn note(heading: &str, command: &Command) -> Roff {
    let mut note = Roff::new();
    if let Some(text) = command.get_after_help() {
        note.control(heading, ["NOTES"]).control("nf", []);
        for line in text.to_string().lines() {
            note.text([roman(line)]);
        }
        note.control("fi", []);
    }
    note
}
