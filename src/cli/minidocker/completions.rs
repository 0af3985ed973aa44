//! `completions`: what a shell needs to complete the words of `minidocker`.

use super::CommandLine;
use crate::error::Result;
use crate::narrate::table;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// What bash is told besides: the names that there are at this moment, where a verb takes one.
const BASH_NAMES: &str = r#"
_minidocker_names() {
    _minidocker "$@"
    local current="${COMP_WORDS[COMP_CWORD]}" word names
    [[ "$current" == -* ]] && return 0
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            attach|cp|commit|diff|exec|inspect|kill|logs|pause|port|rename|restart|rm|start|stats|stop|top|unpause|wait)
                names=$(minidocker ps -a --format '{{.Names}}' 2>/dev/null)
                break ;;
            create|history|rmi|run|save|tag)
                names=$(minidocker images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null)
                break ;;
            volume)
                names=$(minidocker volume ls -q 2>/dev/null)
                break ;;
            network)
                names=$(minidocker network ls --format '{{.Name}}' 2>/dev/null)
                break ;;
        esac
    done
    [[ -n "$names" ]] && COMPREPLY+=( $(compgen -W "$names" -- "$current") )
    return 0
}
complete -F _minidocker_names -o bashdefault -o default minidocker
"#;

/// Print the completions for `shell`, to be read by it: `source <(minidocker completions bash)`.
pub fn obey(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    generate(shell, &mut CommandLine::command(), "minidocker", &mut script);
    table::raw(&String::from_utf8_lossy(&script));
    if shell == Shell::Bash {
        table::raw(BASH_NAMES);
    }
    Ok(0)
}
