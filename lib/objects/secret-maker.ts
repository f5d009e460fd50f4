import { ApiObject, JsonPatch, Lazy } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { NetworkRoute } from '../kube/network/network-route';
import type { ObjectLabels } from '../kube/pod/labels';

const TOKEN_VOLUME = 'api-server-login';
/** Where every client of Kubernetes looks for it. */
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_SECONDS = 3600;

/** The Service's port, and the one of the servers behind it. */
export const API_SERVER_ROUTE: NetworkRoute = { ports: [443, 6443] };

/**
 * Lets the pods of a Job read the Secrets of the returned list, to which names can be added, and make new ones in their namespace.
 *
 * RBAC cannot limit a creation by name. The pod gets a token of its own ServiceAccount that is valid for an hour, or as long as the
 * pod lives.
 */
export function mayMakeSecrets(scope: Construct, job: kplus.Job, labels: ObjectLabels): string[] {
  const names: string[] = [];
  const metadata = { name: scope.node.id, labels: labels.all };
  const lazyNames = Lazy.any({ produce: () => [...names].sort() }) as string[];
  const role = new kplus.k8s.KubeRole(scope, 'role', {
    metadata,
    rules: [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: lazyNames },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ],
  });
  new kplus.k8s.KubeRoleBinding(scope, 'role-binding', {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role.name },
    subjects: [{ kind: 'ServiceAccount', name: scope.node.id }],
  });
  const sources = [
    { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardApi: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
  ];
  const pod = '/spec/template/spec';
  ApiObject.of(job).addJsonPatch(
    JsonPatch.add(`${pod}/volumes/-`, { name: TOKEN_VOLUME, projected: { sources } }),
    JsonPatch.add(`${pod}/containers/0/volumeMounts/-`, {
      name: TOKEN_VOLUME,
      mountPath: TOKEN_FOLDER,
      readOnly: true,
    }),
  );
  return names;
}
