import { checkRoute } from '../kube/network/network-route';
import { checkAnnotations, checkLabelKey, checkLabels } from '../kube/values/metadata';
import { checkObjectName, checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';

import type { ClusterOptions } from './cluster-options';

const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Validates the options of a cluster. */
export function checkClusterOptions(problems: Problems, options: ClusterOptions): void {
  options.podUser?._check(problems, 'podUser');
  options.imageRegistry?._check(problems, 'imageRegistry');
  options.imagePullSecrets?.forEach((name, i) => {
    checkObjectName(problems, `imagePullSecrets[${String(i)}]`, name);
  });
  options.trustedCa?._check(problems, 'trustedCa');
  options.httpProxy?._check(problems, 'httpProxy');
  if (options.clusterDomain !== undefined && !DOMAIN.test(options.clusterDomain)) {
    problems.add('clusterDomain', 'must be a DNS domain (cluster.local)', options.clusterDomain);
  }
  checkRoute(problems, 'dns', options.dns);
  checkLabels(problems, 'nodeSelector', options.nodeSelector);
  checkTolerations(problems, options.tolerations);
  if (options.priorityClassName !== undefined) {
    checkObjectName(problems, 'priorityClassName', options.priorityClassName);
  }
  checkLabels(problems, 'podLabels', options.podLabels);
  checkAnnotations(problems, 'podAnnotations', options.podAnnotations);
}

function checkTolerations(problems: Problems, tolerations: ClusterOptions['tolerations'] = []): void {
  tolerations.forEach(({ key, operator = 'Equal', value, effect, tolerationSeconds }, i) => {
    const at = problems.at(`tolerations[${String(i)}]`);
    if (key !== undefined) {
      checkLabelKey(at, 'key', key);
    } else if (operator !== 'Exists') {
      at.add('operator', 'must be Exists without `key`', operator, 'It then tolerates every taint.');
    }
    if (!['Equal', 'Exists'].includes(operator)) {
      at.add('operator', 'must be Equal or Exists', operator);
    }
    if (operator === 'Exists' && value !== undefined && value !== '') {
      at.add('value', 'must be left out with Exists', value);
    }
    if (operator === 'Equal' && key !== undefined && value !== undefined) {
      checkLabels(at, '', { value });
    }
    if (effect !== undefined && !EFFECTS.includes(effect)) {
      at.add('effect', `must be ${EFFECTS.join(' or ')}`, effect);
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      at.add('tolerationSeconds', 'must be left out unless `effect` is NoExecute', tolerationSeconds);
    }
    checkWhole(at, 'tolerationSeconds', tolerationSeconds, { least: 0 });
  });
}
