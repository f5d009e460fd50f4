import { type Code, type Field, type Program } from '../code/code';

/** What stands in an app instead of a password. */
const STAND_IN = '<password>';

const SECRET_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|CREDENTIALS?|CONNECTION_STRING|_KEY(_B64|_BASE64|_PEM)?|_PWD|_PASS|_PAT|DSN|JWT|_WEBHOOK)$/;
/** Names with such a word in another place, unless they end like those of a file, an address or a setting. */
const SECRET_WORD = /(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|APIKEY|CREDENTIALS?|PRIVATE_KEY)(_|$)/;
const HARMLESS_ENDING =
  /_(FILE|PATH|DIR|URL|URI|HOST|NAME|USER|ID|TTL|TIMEOUT|EXPIRY|EXPIRATION|SECONDS|ENABLED|HEADER|ISSUER|AUDIENCE|ALGORITHM|LENGTH|VERSION)$/;
const HARMLESS_TEXT = /^(true|false|\d+|\/[\w./-]*)$/i;
/** Names of annotations and other data, whose keys are often no secret at all. */
const SECRET_DATA = /(password|passwd|passphrase|token|api-?key|access-?key|connection-?string|credentials?)$/i;

/** A password in a URI, in an argument or in a variable of a command. */
const IN_TEXT: readonly RegExp[] = [
  /(?<=:\/\/[^/\s:@]*:)[^\s/]+(?=@)/g,
  /(?<=[?&](?:password|passwd|token|secret)=)[^&\s'"]+/gi,
  /(?<=(?:^|\s)--?[\w-]*(?:password|passwd|secret|token|api-?key|access-?key)[= ])[^\s'"]+/gi,
  /(?<=\b\w*(?:PASSWORD|PASSWD|_PWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY)=)[^\s'"$<]+/g,
];
/** Texts that are a secret by their form: tokens of GitHub, OpenAI, Slack and others, and private keys. */
const BY_FORM =
  /(\bgh[pousr]_\w+|\bgithub_pat_\w+|\bsk-[\w-]{20,}|\bxox[abeprs]-[\w-]+|\beyJ[\w-]+\.eyJ[\w.-]+|-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*|\bhooks\.slack\.com\/services\/[\w/-]+)/g;

/** Whether the value of a variable should not stand in an app. */
export function isSecret(name: string, text: string): boolean {
  if (text === '' || /^\$\(\w+\)$/.test(text)) {
    return false;
  }
  const isNamed =
    SECRET_NAME.test(name) ||
    (SECRET_WORD.test(name) && !HARMLESS_ENDING.test(name) && !HARMLESS_TEXT.test(text)) ||
    (name.endsWith('AUTH') && /^[^\s:/]+:[^\s/]+$/.test(text));
  return isNamed || hidden(text) !== text;
}

/** A text without the passwords in it. */
export function hidden(text: string): string {
  return [...IN_TEXT, BY_FORM].reduce(
    (of, pattern) => of.replace(pattern, (found) => (isReference(found) ? found : STAND_IN)),
    text,
  );
}

/** The program without passwords, which may stand in arguments, commands, annotations or comments. `found` gets texts with one. */
export function withoutSecrets(program: Program, found = new Set<string>()): Program {
  return {
    ...program,
    description: program.description.map(hidden),
    statements: program.statements.map((statement) => ({
      ...statement,
      comment: statement.comment === undefined ? undefined : hidden(statement.comment),
      code: withoutSecretsIn(statement.code, found),
    })),
  };
}

/** The text of an entry of a map, such as an annotation, without its password. */
function hiddenEntry(key: string, text: string): string {
  const isHarmless = HARMLESS_TEXT.test(text) || /^[\w.-]+(\/[\w.-]+)+$/.test(text) || isReference(text);
  return SECRET_DATA.test(key) && text !== '' && !isHarmless ? STAND_IN : hidden(text);
}

/** A text that names a password: a variable, a template or a placeholder. */
function isReference(text: string): boolean {
  return /^(\$[({]?\w|\{\{|<)/.test(text);
}

/** Whether the next argument is a password. */
function isSecretOption(code: Code | undefined): boolean {
  return (
    code?.kind === 'value' && /^--?[\w-]*(password|passwd|secret|token|api-?key|access-?key)$/i.test(String(code.value))
  );
}

function withoutSecretsIn(code: Code, found: Set<string>): Code {
  const within = (each: Code): Code => withoutSecretsIn(each, found);
  const by = (each: Code, hide: (text: string) => string): Code => {
    if (each.kind !== 'value') {
      return within(each);
    }
    if (typeof each.value !== 'string') {
      return each;
    }
    const text = hide(each.value);
    if (text !== each.value) {
      found.add(each.value);
    }
    return { ...each, value: text };
  };
  switch (code.kind) {
    case 'value':
      return by(code, hidden);
    case 'list':
      return {
        ...code,
        items: code.items.map((each, i) => by(each, isSecretOption(code.items[i - 1]) ? () => STAND_IN : hidden)),
      };
    case 'map':
      return {
        ...code,
        entries: code.entries.map(([key, each]) => [key, by(each, (text) => hiddenEntry(key, text))]),
      };
    case 'struct':
      return { ...code, fields: code.fields.map((field): Field => ({ ...field, value: within(field.value) })) };
    case 'new':
    case 'call':
      return { ...code, args: code.args.map(within) };
    default:
      return code;
  }
}
