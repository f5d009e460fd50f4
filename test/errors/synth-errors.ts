import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

const LIB = join(__dirname, '..', '..', 'lib');

/** What the library says at the synthesis when something is wrong. `…` stands for what depends on the app. */
export interface SynthError {
  readonly file: string;
  readonly text: string;
  readonly wayOut: string;
}

const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .map((file) => {
    const text = readFileSync(join(LIB, file), 'utf8');
    return [file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)] as const;
  });
const constants = new Map(
  sources.flatMap(([file, source]) =>
    nodesIn(source).flatMap((node): [string, ts.Expression][] =>
      ts.isVariableDeclaration(node) && node.initializer !== undefined
        ? [[`${file}:${node.name.getText()}`, node.initializer]]
        : [],
    ),
  ),
);

/** The errors about props of one construct, in the order of the files. */
export function synthErrors(): SynthError[] {
  return sources.flatMap(([file, source]) =>
    nodesIn(source).flatMap((node) => {
      const error = ts.isCallExpression(node) || ts.isNewExpression(node) ? errorOf(file, node) : undefined;
      return error === undefined ? [] : [{ file, ...error }];
    }),
  );
}

/** The texts of the rules of a file. */
export function ruleTexts(id: string): string[] {
  return sources
    .filter(
      ([file, source]) =>
        /^(rules|kube|postgres)\//.test(file) && !file.endsWith('/rules.ts') && source.text.includes(`'${id}'`),
    )
    .flatMap(([file, source]) =>
      nodesIn(source)
        .filter((node) => ts.isTemplateExpression(node) || ts.isStringLiteral(node))
        .filter((node) => !/^(description|validate)$/.test(node.parent.getFirstToken()?.getText() ?? ''))
        .map((node) => textOf(file, node))
        .filter((text) => text.length > 40 && /[.:…]$/.test(text)),
    );
}

function errorOf(file: string, node: ts.CallExpression | ts.NewExpression): Omit<SynthError, 'file'> | undefined {
  const texts = (node.arguments ?? []).map((each) => textOf(file, each));
  const [first = '', second = '', , fourth = ''] = texts;
  const callee = node.expression.getText();
  if (ts.isNewExpression(node)) {
    return callee === 'Error' && first !== '…' ? { text: first, wayOut: '' } : undefined;
  }
  switch (/\bproblems(?:\.at\(.*\))?\.(add|say|reserved)$/i.exec(callee)?.[1]) {
    case 'add':
      return { text: `\`${first}\` ${second}`, wayOut: fourth };
    case 'say':
      return first === '…' ? undefined : { text: first, wayOut: second };
    case 'reserved':
      return {
        text: `\`${first}\` must not be set: the library sets it itself.`,
        wayOut: ['', '…'].includes(second) ? '' : `Use \`${second}\`.`,
      };
    default:
      return undefined;
  }
}

function textOf(file: string, node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) {
    return node.text;
  }
  if (ts.isNumericLiteral(node)) {
    return node.text.replaceAll('_', '');
  }
  if (ts.isTemplateExpression(node)) {
    const rest = node.templateSpans.map(({ expression, literal }) => textOf(file, expression) + literal.text);
    return (node.head.text + rest.join('')).replaceAll(/…+/g, '…');
  }
  if (ts.isConditionalExpression(node)) {
    const ways = [node.whenTrue, node.whenFalse].map((each) => textOf(file, each));
    return [...new Set(ways)].filter((each) => each !== '').join(' / ');
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'String' && node.arguments[0] !== undefined) {
    return textOf(file, node.arguments[0]);
  }
  const constant = ts.isIdentifier(node) ? constants.get(`${file}:${node.text}`) : undefined;
  if (constant !== undefined && (ts.isStringLiteralLike(constant) || ts.isNumericLiteral(constant))) {
    return textOf(file, constant);
  }
  return node.getText() === 'undefined' ? '' : '…';
}

function nodesIn(node: ts.Node): ts.Node[] {
  return [node, ...node.getChildren().flatMap(nodesIn)];
}
