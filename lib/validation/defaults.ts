/** The props with defaults for those that are undefined. */
export function withDefaults<Props extends object, Defaults extends Partial<Props>>(
  props: Props,
  defaults: Defaults,
): Omit<Props, keyof Defaults> & Required<Pick<Props, keyof Defaults & keyof Props>> {
  const given = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
  return { ...defaults, ...(given as Props) } as never;
}
