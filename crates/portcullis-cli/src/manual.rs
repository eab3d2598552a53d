//! `completions` and `man`: what a package installs beside the binary.

use std::fs;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::reply::Reply;

/// Answers with the completion script of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Reply {
    // Into memory first: the generator panics where it cannot write, as to a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "portcullis", &mut script);
    Reply::new(String::from_utf8_lossy(&script).into_owned(), Exit::Ok)
}

/// Answers with one manual page, or writes them all into a folder.
pub(crate) fn pages(args: &ManArgs) -> Result<Reply, Failure> {
    let mut main = Cli::command();
    main.build();
    if let Some(folder) = &args.dir {
        for page in core::iter::once(&main).chain(main.get_subcommands()) {
            if page.get_name() == "help" {
                continue;
            }
            let file = folder.join(format!("{}.1", page_name(page)));
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&file, render(page)))
                .map_err(|error| Failure::File {
                    file: file.display().to_string(),
                    error,
                })?;
        }
        return Ok(Reply::new(String::new(), Exit::Ok));
    }
    let page = match &args.command {
        None => &main,
        Some(name) => main.find_subcommand(name).ok_or_else(|| {
            let names: Vec<&str> = main
                .get_subcommands()
                .map(clap::Command::get_name)
                .filter(|name| *name != "help")
                .collect();
            Failure::usage(
                format!("there is no command `{name}`"),
                format!("the commands are {}", names.join(", ")),
            )
        })?,
    };
    Ok(Reply::new(render(page), Exit::Ok))
}

/// Returns the name of a command's page: `portcullis`, `portcullis-check`.
fn page_name(page: &clap::Command) -> String {
    match page.get_name() {
        "portcullis" => "portcullis".to_owned(),
        name => format!("portcullis-{name}"),
    }
}

fn render(page: &clap::Command) -> String {
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(page.clone().display_name(page_name(page)));
    // Writing to a Vec does not fail.
    let _ = man.render(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
