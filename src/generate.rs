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

/// Where the manual has the page of a program.
#[derive(Clone, Copy)]
pub enum Section {
    /// 1: what people and scripts run
    Commands = 1,
    /// 8: what a service manager runs
    Daemons = 8,
}

/// The text of one kind, for a program that has the name of its command.
///
/// # Errors
///
/// If clap cannot write it, which memory gives no cause for.
pub fn generate(command: Command, kind: Kind, section: Section) -> io::Result<Vec<u8>> {
    match kind {
        Kind::Bash => Ok(completions(command, Shell::Bash)),
        Kind::Zsh => Ok(completions(command, Shell::Zsh)),
        Kind::Fish => Ok(completions(command, Shell::Fish)),
        Kind::Man => manual_page(command, section),
    }
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// One page for a program and its subcommands.
fn manual_page(command: Command, section: Section) -> io::Result<Vec<u8>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let (page, mut written) = (Man::new(with_usage(command.clone())), title(&command, section));
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

/// The version belongs in the fourth place: clap's own title leaves out the empty third, the date.
fn title(command: &Command, section: Section) -> Vec<u8> {
    let (name, version) = (command.get_name(), command.get_version().unwrap_or_default());
    format!(".TH {} {} \"\" \"{name} {version}\"\n", name.to_uppercase(), section as u8).into_bytes()
}

/// With the synopsis that the help has, where clap's pages leave out the values of options.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    command.override_usage(usage.trim_start_matches("Usage: ").to_owned())
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
    let own = with_usage(command.clone()).mut_args(|option| {
        let is_told = option.is_global_set() || option.get_id() == "help";
        option.hide(is_told)
    });
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
