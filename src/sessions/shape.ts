/** Checks of what a file holds, with the types that follow from them: a few lines, because each get-token loads them. */

/** What a value is not: the path of the first member that is wrong, empty for the value itself. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/** Gives back a value as what it is, without members that are not known. @throws {Mismatch} with its path otherwise. */
export type Shape<T> = (value: unknown, path: string) => T;

/** What a shape gives back. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** A member of an object that may be missing. */
interface Optional<T> {
  readonly optional: Shape<T>;
}

/** The members of an object. */
type Members = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;

type OptionalNames<M extends Members> = {
  [Name in keyof M]: M[Name] extends Optional<unknown> ? Name : never;
}[keyof M];

/** The object that such members make. */
type ObjectOf<M extends Members> = Flat<
  & { -readonly [Name in Exclude<keyof M, OptionalNames<M>>]: Shaped<M[Name]> }
  & { -readonly [Name in OptionalNames<M>]?: M[Name] extends Optional<infer T> ? T : never }
>;

type Flat<T> = { [Name in keyof T]: T[Name] };

/** A text. */
export const text: Shape<string> = (value, path) => {
  if (typeof value === "string") return value;
  throw new Mismatch(path);
};

/** A number for which something holds. */
export function numberThat(holds: (value: number) => boolean = () => true): Shape<number> {
  return (value, path) => {
    if (typeof value === "number" && holds(value)) return value;
    throw new Mismatch(path);
  };
}

/** A text for which something holds. */
export function textThat<T extends string = string>(holds: (text: string) => boolean): Shape<T> {
  return (value, path) => {
    if (typeof value === "string" && holds(value)) return value as T;
    throw new Mismatch(path);
  };
}

/** One of these values. */
export function oneOf<const T extends string | number | boolean>(...values: readonly T[]): Shape<T> {
  return (value, path) => {
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw new Mismatch(path);
  };
}

/** A text that names something, which takes its place. */
export function named<T>(find: (name: string) => T | undefined): Shape<T> {
  return (value, path) => {
    const found = typeof value === "string" ? find(value) : undefined;
    if (found !== undefined) return found;
    throw new Mismatch(path);
  };
}

/** A list. */
export function listOf<T>(item: Shape<T>): Shape<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Mismatch(path);
    return value.map((one, at) => item(one, below(path, String(at))));
  };
}

/** A list that nobody changes. */
export function readonlyListOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return listOf(item);
}

/** Texts by their names. */
export const textsByName: Shape<Record<string, string>> = (value, path) => {
  if (!isRecord(value)) throw new Mismatch(path);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, text(one, below(path, name))]));
};

/** A member that may be missing, or undefined. */
export function optional<T>(shape: Shape<T>): Optional<T | undefined> {
  return { optional: (value, path) => value === undefined ? undefined : shape(value, path) };
}

/** A member that may be missing, but not undefined. */
export function exactOptional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** An object of such members. */
export function object<const M extends Members>(members: M): Shape<ObjectOf<M>> {
  const entries = Object.entries(members);
  return (value, path) => {
    if (!isRecord(value)) throw new Mismatch(path);
    const made: Record<string, unknown> = {};
    for (const [name, member] of entries) {
      const shape = typeof member === "function" ? member : member.optional;
      if (typeof member !== "function" && !Object.hasOwn(value, name)) continue;
      made[name] = shape(value[name], below(path, name));
    }
    return made as ObjectOf<M>;
  };
}

/** An object whose member `kind` says which of these it is. */
export function variant<const V extends Readonly<Record<string, Shape<unknown>>>>(
  variants: V,
): Shape<Shaped<V[keyof V]>> {
  return (value, path) => {
    const kind = isRecord(value) ? value.kind : undefined;
    const shape = typeof kind === "string" && Object.hasOwn(variants, kind) ? variants[kind] : undefined;
    if (shape === undefined) throw new Mismatch(below(path, "kind"));
    return shape(value, path) as Shaped<V[keyof V]>;
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
