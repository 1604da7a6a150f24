//! Completion scripts and the manual page, made from a program's command line.

use std::io;

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// What `--generate` makes.
#[derive(Clone, Copy, ValueEnum)]
pub enum Artifact {
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// The manual page
    Man,
}

/// The section of the manual that a program's page is in.
#[derive(Clone, Copy)]
pub enum ManualSection {
    /// What people and scripts run.
    Commands = 1,
    /// What a service manager runs.
    Daemons = 8,
}

/// The text of one artifact. `prompt` has the commands that people type at the program's prompt, as a syntax line and a
/// summary, for the manual page.
///
/// # Errors
///
/// Those of clap's writer; writing to memory has none.
pub fn generate(
    command: Command,
    artifact: Artifact,
    section: ManualSection,
    prompt: &[(String, &str)],
) -> io::Result<Vec<u8>> {
    match artifact {
        Artifact::Bash => Ok(completions(command, Shell::Bash)),
        Artifact::Zsh => Ok(completions(command, Shell::Zsh)),
        Artifact::Fish => Ok(completions(command, Shell::Fish)),
        Artifact::Man => manual_page(command, section, prompt),
    }
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// One page for a program, its subcommands and the commands at its prompt.
fn manual_page(command: Command, section: ManualSection, prompt: &[(String, &str)]) -> io::Result<Vec<u8>> {
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
    at_prompt(prompt).to_writer(&mut written)?;
    note("SH", &command).to_writer(&mut written)?;
    page.render_version_section(&mut written)?;
    Ok(written)
}

/// The title line. clap's own leaves out the empty date, so that the version would be taken for it.
fn title(command: &Command, section: ManualSection) -> Vec<u8> {
    let (name, version) = (command.get_name(), command.get_version().unwrap_or_default());
    format!(".TH {} {} \"\" \"{name} {version}\"\n", name.to_uppercase(), section as u8).into_bytes()
}

/// The command with the help's usage line as its synopsis: clap's own synopsis has no values of options.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    command.override_usage(usage.trim_start_matches("Usage: ").to_owned())
}

/// A section for a subcommand that does something by itself, and for each of its own subcommands. clap would refer to
/// pages that do not exist.
fn describe(command: &Command, written: &mut Vec<u8>) -> io::Result<()> {
    if !command.is_subcommand_required_set() {
        describe_itself(command, written)?;
    }
    command.get_subcommands().try_for_each(|subcommand| describe(subcommand, written))
}

fn describe_itself(command: &Command, written: &mut Vec<u8>) -> io::Result<()> {
    Roff::new().control("SH", [command.get_bin_name().unwrap_or_default()]).to_writer(written)?;
    // Global options are described once, at the top.
    let own = with_usage(command.clone()).mut_args(|option| {
        let is_described = option.is_global_set() || option.get_id() == "help";
        option.hide(is_described)
    });
    let (page, mut sections) = (Man::new(own), Vec::new());
    page.render_synopsis_section(&mut sections)?;
    page.render_description_section(&mut sections)?;
    page.render_options_section(&mut sections)?;
    written.extend_from_slice(String::from_utf8_lossy(&sections).replace("\n.SH ", "\n.SS ").as_bytes());
    note("SS", command).to_writer(written)
}

fn at_prompt(commands: &[(String, &str)]) -> Roff {
    let mut list = Roff::new();
    if !commands.is_empty() {
        list.control("SH", ["COMMANDS"]);
    }
    for (syntax, summary) in commands {
        list.control("TP", []).text([bold(syntax)]).text([roman(*summary)]);
    }
    list
}

/// Examples and exit codes, line by line: re-wrapped, their tables would be destroyed.
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
