/**
 * `dpdk-net completion`: what a shell has to know to complete commands and options.
 *
 * Made from the commands themselves, so it can not be out of date.
 * @module
 */
import { Argument, type Command } from 'commander';
import { print } from './attached.ts';

const HELP = `
Examples:
  dpdk-net completion bash > /etc/bash_completion.d/dpdk-net
  dpdk-net completion zsh > "\${fpath[1]}/_dpdk-net"
  dpdk-net completion fish > ~/.config/fish/completions/dpdk-net.fish`;

interface Words {
  /** '' for the program itself, 'run', 'config check'. */
  readonly path: string;
  readonly summary: string;
  readonly words: readonly string[];
}

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .summary('completion for bash, zsh or fish')
    .description('Prints the completion of commands and options for a shell.')
    .addArgument(new Argument('<shell>', 'for which').choices(['bash', 'zsh', 'fish']))
    .exitOverride()
    .addHelpText('after', HELP)
    .action((shell: 'bash' | 'zsh' | 'fish') => print(SCRIPTS[shell](wordsOf(program))));
}

/** Every command with what may follow it. */
function wordsOf(program: Command): Words[] {
  const found: Words[] = [];
  const visit = (command: Command, path: string): void => {
    const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
    const names = command.commands.map((child) => child.name());
    const summary = command.summary() || command.description();
    found.push({ path, summary, words: [...names, ...options, '--help'] });
    for (const child of command.commands) visit(child, `${path} ${child.name()}`.trim());
  };
  visit(program, '');
  return found;
}

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The words so far that are commands choose what is offered; files where nothing else fits. */
function bashScript(commands: readonly Words[]): string {
  const cases = commands.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`);
  return `_dpdk_net() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${path:+$path }$word" in
${commands
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _dpdk_net dpdk-net
`;
}

function zshScript(commands: readonly Words[]): string {
  return `#compdef dpdk-net
autoload -U +X bashcompinit && bashcompinit
${bashScript(commands)}`;
}

function fishScript(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ path, words }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
    return words.map((word) => {
      const summary = commands.find((other) => other.path === `${path} ${word}`.trim())?.summary;
      const text = summary === undefined ? '' : ` -d '${summary.replaceAll("'", "\\'")}'`;
      const kind = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c dpdk-net -n '${condition}' ${kind}${text}`;
    });
  });
  return `${lines.join('\n')}\n`;
}
