// node --test test/validation/assembly-walk.test.mjs, after npm run build: whatever a public constructor, factory or method takes is
// given nothing, and values of other types. Each has to end in an error of ours that names it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { App, Chart, Duration, Size } from 'cdk8s';
import { Cpu, EnvValue } from 'cdk8s-plus-28';

import {
  AwsIdentity,
  BackupLocation,
  DatabaseMigration,
  ExternalPostgres,
  MlflowAuth,
  MlflowServer,
  S3Artifacts,
  SecretKey,
} from '../../build/lib/index.js';
import { isA, isOwn, membersOf, nameOf, own, typeOf } from '../../tools/assemblies.mjs';
import { Maker } from '../judges/generated/recipes.mjs';
import { make } from '../judges/generated/synthesize.mjs';
import { entriesOf } from '../judges/generated/values.mjs';

/** What makes a value of a type that stands alone, where the first way does not. */
const PREFERRED = [
  'CLUSTER',
  'BitnamiPasswords.fromSecretName',
  'ExternalPostgres.new',
  'MlflowServer.new',
  'NetworkPeer.pods',
];

/** What may be given, and why. */
const ALLOWED = [
  {
    reason: 'labels, annotations and settings may be empty',
    includes: ({ isInMap, type, value }) => isInMap && type.primitive === 'string' && isBlank(value),
  },
  {
    reason: 'whether a text among the props of another library may be empty is for that to say',
    includes: ({ isForeign, type, value }) => isForeign && type.primitive === 'string' && isBlank(value),
  },
  {
    reason: 'an empty storage class is one of Kubernetes: claims of it are bound to volumes that exist',
    includes: ({ shown, value }) => /(^|\.)storageClassName$/.test(shown) && isBlank(value),
  },
  {
    reason: 'what resolves values for cdk8s has nothing but a method, which cdk8s calls',
    includes: ({ shown }) => shown === 'resolvers[0]',
  },
];

const TEXTS = ['', ' ', 'undefined', 'null', 'NaN'];
const OF_OTHER_TYPES = {
  string: [5, true, {}, ['x']],
  number: ['2', true, {}, Number.NaN],
  boolean: ['true', 1, {}],
};
/** Of the right class, made of a variable that is not set. */
const OF_NOTHING = {
  EnvValue: [EnvValue.fromProcess('NOT_SET'), EnvValue.fromValue(undefined), EnvValue.fromValue('undefined')],
  Duration: [Duration.seconds(Number.NaN)],
  Size: [Size.gibibytes(Number.NaN)],
  Cpu: [Cpu.millis(Number.NaN)],
};
const NO_OBJECT = ['x', 5, true, ['x']];

/** With users and workspaces, which not every object of another kind takes. */
function serverOfTeams() {
  const chart = new Chart(new App(), 'teams', { namespace: 'team' });
  const key = SecretKey.fromSecretName('auth', 'key');
  return new MlflowServer(chart, 'mlflow', {
    backend: new ExternalPostgres(chart, 'postgres', { host: 'db', user: 'mlflow', password: 'secret' }),
    auth: MlflowAuth.basic({ adminPassword: key, flaskSecretKey: key }),
    encryption: { passphrase: key, webhookKey: key },
    workspaces: true,
  });
}

function otherDatabase() {
  const chart = new Chart(new App(), 'old');
  return new ExternalPostgres(chart, 'postgres', { host: 'old-db', user: 'mlflow', password: 'secret' });
}

/** What a value needs beside what it requires, to be of use to others. */
const GIVEN = {
  // One for each call: an object is declared once for each server.
  MlflowObjectsProps: { server: serverOfTeams },
  GatewayModelOptions: { provider: 'openai' },
  MlflowWebhookProps: { url: 'https://ci.example.com/' },
  // Another database than its target.
  DatabaseMoveProps: { source: otherDatabase },
  // Another store than its source.
  ArtifactRelocationProps: {
    target: new S3Artifacts({ bucket: 'models', region: 'eu-west-1', identity: AwsIdentity.ambient() }),
  },
  MlflowServerProps: {
    metrics: true,
    databaseMigration: DatabaseMigration.job({ backupTo: BackupLocation.volume() }),
    traceArchival: { retention: Duration.days(30) },
  },
};

/** Makes what a call needs, and nothing else. */
class Baselines extends Maker {
  constructor() {
    super({ pick: preferred, chance: () => false, weighted: ([[first]]) => first });
  }

  struct(fqn, depth) {
    const node = super.struct(fqn, depth);
    const given = Object.entries(GIVEN[nameOf(fqn)] ?? {}).map(([name, value]) => [name, leafOf(value)]);
    return { ...node, fields: new Map([...node.fields, ...given]) };
  }
}

function leafOf(value) {
  return {
    kind: 'leaf',
    get value() {
      return typeof value === 'function' ? value() : value;
    },
  };
}

const maker = new Baselines();
const counts = { calls: 0, inputs: 0, errors: 0, allowed: 0 };

for (const call of Object.values(own.types).flatMap(callsOf)) {
  test(call.name, () => {
    const needed = call.parameters.map((each) => (each.optional || each.variadic ? undefined : nodeOf(call, each)));
    assert.doesNotThrow(() => run(call, needed), 'with what it needs');
    counts.calls += 1;
    const taken = call.parameters.flatMap((parameter, i) =>
      [
        ...wrongNodes(call, {
          ...parameter,
          shown: parameter.name,
          place: `${call.owner}.${parameter.name}`,
          isParameter: true,
        }),
      ].flatMap((input) => faultOf(input, () => run(call, needed.toSpliced(i, 1, input.node)))),
    );
    assert.deepEqual(taken, []);
  });
}

test('what is allowed is given', (context) => {
  context.diagnostic(JSON.stringify(counts));
  assert.deepEqual(
    ALLOWED.filter(({ isUsed }) => isUsed !== true).map(({ reason }) => reason),
    [],
  );
});

/** The public constructor, static and instance methods of a class, as far as they take anything. */
function callsOf({ kind, fqn, name, abstract, initializer, methods = [] }) {
  const constructors = abstract || kind !== 'class' || !initializer ? [] : [{ kind: 'new', ...initializer }];
  const ofMethods = kind === 'class' ? methods.map((each) => ({ kind: each.static ? 'call' : 'method', ...each })) : [];
  return [...constructors, ...ofMethods]
    .filter((each) => each.protected !== true && each.parameters !== undefined)
    .map((each) => ({
      kind: each.kind,
      fqn,
      member: each.name,
      parameters: each.parameters,
      name: each.kind === 'new' ? `new ${name}` : `${name}.${each.name}`,
      owner: each.kind === 'new' ? name : `${name}.${each.name}`,
    }));
}

function run({ kind, fqn, member }, nodes) {
  const chart = new Chart(new App(), 'chart', { namespace: 'team' });
  const given = nodes.findLastIndex((node) => node !== undefined) + 1;
  const args = nodes.slice(0, given).map((node) => node ?? { kind: 'leaf', value: undefined });
  if (kind !== 'method') {
    return make({ kind, fqn, member, args }, chart);
  }
  const self = make(maker.of(nameOf(fqn), { fqn }, 0), chart);
  return self[member](...args.map((arg) => make(arg, chart)));
}

function nodeOf({ fqn, owner }, { name, type }) {
  if (type.fqn !== undefined && isA('constructs.Construct', type.fqn)) {
    return { kind: 'scope' };
  }
  return name === 'id' ? maker.id(fqn) : maker.of(`${owner}.${name}`, type, 0);
}

/** The node of a value with a fault in it, for each fault, with the name that the error has to give. */
function* wrongNodes(call, position) {
  const { shown, type, optional } = position;
  const ofType = valuesOfOtherTypes(type);
  for (const value of [...(optional && !position.variadic ? [null] : [undefined, null]), ...ofType]) {
    yield { ...position, value, node: { kind: 'leaf', value } };
  }
  if (type.collection !== undefined) {
    const { kind, elementtype } = type.collection;
    const isList = kind === 'array';
    const key = entriesOf(position.place).right[0][0];
    const element = { shown: isList ? `${shown}[0]` : `${shown}.${key}`, type: elementtype, isInMap: !isList };
    for (const input of wrongNodes(call, { ...position, ...element, optional: false, isParameter: false })) {
      const node = isList
        ? { kind: 'list', items: [input.node] }
        : { kind: 'map', entries: [[{ kind: 'leaf', value: key }, input.node]] };
      yield { ...input, node };
    }
  }
  const { kind, datatype } = typeOf(type.fqn) ?? {};
  if (datatype || (kind === 'interface' && isOwn(type.fqn))) {
    const base = datatype
      ? maker.struct(type.fqn, 1)
      : maker.construct({ kind: 'implement', ...implementing(type.fqn) }, 1);
    for (const member of membersOf(type.fqn, 'properties').filter(({ type: of }) => of.fqn !== 'constructs.Node')) {
      const inside = {
        shown: position.isParameter && datatype ? member.name : `${shown}.${member.name}`,
        place: `${nameOf(type.fqn)}.${member.name}`,
        type: member.type,
        optional: member.optional,
        isForeign: !isOwn(type.fqn),
        isInMap: false,
        isParameter: false,
        variadic: false,
      };
      for (const input of wrongNodes(call, inside)) {
        yield { ...input, node: { ...base, fields: new Map([...base.fields, [member.name, input.node]]) } };
      }
    }
  }
}

function implementing(fqn) {
  const { properties = [], methods = [] } = typeOf(fqn);
  const made = methods.map(({ name, returns }) => ({
    name,
    type: returns?.type ?? { primitive: 'any' },
    method: true,
  }));
  return { fqn, parameters: [...properties.filter(({ optional }) => !optional), ...made] };
}

function valuesOfOtherTypes({ primitive, collection, fqn }) {
  if (primitive === 'string') {
    return [...TEXTS, ...OF_OTHER_TYPES.string];
  }
  if (primitive !== undefined) {
    return OF_OTHER_TYPES[primitive] ?? [];
  }
  if (collection !== undefined) {
    return collection.kind === 'array' ? ['x', 5, {}] : NO_OBJECT;
  }
  return typeOf(fqn).datatype ? NO_OBJECT : [...NO_OBJECT, {}, new Date(0), ...(OF_NOTHING[nameOf(fqn)] ?? [])];
}

/** What is wrong with the end of an input, if anything. */
function faultOf({ shown, value, ...input }, call) {
  counts.inputs += 1;
  const label = `\`${shown}\` given ${typeof value === 'object' ? JSON.stringify(value) : typeof value === 'string' ? `'${value}'` : String(value)}`;
  const error = thrownBy(call);
  const allowed = ALLOWED.find(({ includes }) => includes({ ...input, shown, value }));
  if (allowed !== undefined) {
    allowed.isUsed = true;
    counts.allowed += 1;
  }
  if (error === undefined) {
    return allowed === undefined ? [`${label} is taken`] : [];
  }
  const lines = error.message.split('\n');
  if (error.constructor !== Error || !lines.every((line) => /^\[[^\]]+\] `/.test(line))) {
    return [`${label} ends raw: ${error.message}`];
  }
  if (allowed === undefined && !lines.some((line) => line.includes(`] \`${shown}\` `))) {
    return [`${label} is not named: ${error.message}`];
  }
  counts.errors += allowed === undefined ? 1 : 0;
  return [];
}

function thrownBy(call) {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

function preferred(from) {
  return (
    from.find(({ fqn, member, name, kind }) => PREFERRED.includes(fqn ? `${nameOf(fqn)}.${member ?? kind}` : name)) ??
    from[0]
  );
}

function isBlank(value) {
  return typeof value === 'string' && value.trim() === '';
}
