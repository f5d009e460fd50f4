import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

import { Problems } from '../validation/problems';
import { addRuleOnApp } from '../validation/rule';

import { foreignObjectsIn, SAME_NAMESPACE } from './same-namespace';
import { addUniqueNameRule } from './unique-name';
import { checkLabels, checkNamespace } from './values/metadata';

/** The problems of a construct of the library, with those of its chart, whose namespace and labels its objects get. */
export function problemsOf(construct: IConstruct): Problems {
  const problems = new Problems(construct);
  const chart = [...construct.node.scopes].reverse().find((each) => Chart.isChart(each));
  if (chart === undefined) {
    problems.say('`scope` must be a Chart, or a construct in one.', 'Make one: new Chart(app, id).');
    problems.throwIfAny();
  } else {
    if (chart.namespace !== undefined) {
      checkNamespace(problems, 'chart.namespace', chart.namespace);
    }
    checkLabels(problems, 'chart.labels', chart.labels);
  }
  addUniqueNameRule(construct);
  addRuleOnApp(construct, SAME_NAMESPACE, foreignObjectsIn);
  return problems;
}
