import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { Problems } from '../../validation/problems';
import { checkNew } from '../../validation/arguments';

import { FileSource } from './file-source';

/** TLS certificate of a client or a server, with its private key. It is mounted from its Secret, which pods follow. */
export class TlsCertificate {
  /**
   * A certificate in a Secret of the type `kubernetes.io/tls`, with the keys `tls.crt` and `tls.key`, as cert-manager makes it.
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
   * @param certificate certificate, with the intermediate certificates of its CA, PEM
   * @param privateKey private key, PEM without a passphrase
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
   * Mounts `certificate/tls.crt` and `key/tls.key` below a folder.
   *
   * @internal
   */
  public _mounts(scope: Construct, name: string, folder: string): kplus.VolumeMount[] {
    return [
      this.certificate._mount(scope, `${name}-certificate`, `${folder}/certificate`, 'tls.crt'),
      this.privateKey._mount(scope, `${name}-key`, `${folder}/key`, 'tls.key'),
    ];
  }
}
