import { type Command, EXIT, InputError, type Output, UsageError } from './command';
import { DOCTOR } from './doctor/doctor';
import { FROM_HELM } from './from-helm/from-helm';
import { INIT } from './init/init';

const NAME = 'cdk8s-mlflow';

/** All commands, in the order of `--help`. */
const COMMANDS: readonly Command[] = [INIT, FROM_HELM, DOCTOR];

/** Runs the program, and returns its exit code. */
export function runProgram(args: readonly string[], output: Output): number {
  const [name, ...rest] = args;
  if (name === undefined || ['--help', '-h', 'help'].includes(name)) {
    (name === undefined ? output.err : output.out)(help());
    return name === undefined ? EXIT.USAGE : EXIT.OK;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    output.err(`${NAME}: there is no command ${name}.\n\n${help()}`);
    return EXIT.USAGE;
  }
  try {
    return command.run(rest, output);
  } catch (error) {
    if (error instanceof InputError) {
      output.err(`${error.message}\n`);
      return EXIT.INPUT;
    }
    if (!(error instanceof UsageError)) {
      throw error;
    }
    output.err(`${NAME} ${name}: ${error.message}\nSee ${NAME} ${name} --help.\n`);
    return EXIT.USAGE;
  }
}

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    `Usage: ${NAME} <command> [options]`,
    '',
    'Commands:',
    ...commands,
    '',
    `${NAME} <command> --help says more.`,
    '',
  ].join('\n');
}
