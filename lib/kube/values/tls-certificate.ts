import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { FileSource } from './file-source';
import type { Problems } from '../../validation/problems';
import { checkNew } from '../../validation/arguments';

/** A certificate and its private key: what a client or a server shows of itself. It is read when a pod starts. */
export class TlsCertificate {
  /**
   * From a Secret of the type `kubernetes.io/tls`, as cert-manager makes them: keys `tls.crt` and `tls.key`.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   */
  public static fromSecretName(secretName: string): TlsCertificate {
    return new TlsCertificate(
      FileSource.fromSecret(secretName, 'tls.crt'),
      FileSource.fromSecret(secretName, 'tls.key'),
    );
  }

  /**
   * @param certificate the certificate and what links it to its CA, PEM
   * @param privateKey its key, PEM without a passphrase
   */
  public constructor(
    public readonly certificate: FileSource,
    public readonly privateKey: FileSource,
  ) {
    checkNew('TlsCertificate', certificate, privateKey);
  }

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    this.certificate._check(problems, `${prop}.certificate`);
    this.privateKey._check(problems, `${prop}.privateKey`);
  }

  /**
   * The two files below a folder, each in a folder of its own, and nobody's but the pod's.
   *
   * @internal
   */
  public _mounts(scope: Construct, name: string, folder: string): kplus.VolumeMount[] {
    return [
      {
        path: `${folder}/certificate`,
        volume: this.certificate._volume(scope, `${name}-certificate`, 'tls.crt'),
        readOnly: true,
      },
      { path: `${folder}/key`, volume: this.privateKey._volume(scope, `${name}-key`, 'tls.key'), readOnly: true },
    ];
  }
}
