/** Changes of ConfigMaps at the real API server, one after the other, and what a watch has to tell of them. */

import type { Administrator } from "../../apiserver/apiserver.ts";

const NAMES = 12;

/** Creates, changes and deletes a dozen objects; each state has a number. */
export class Writer {
  /** `ADDED name number` and the like, in order. */
  readonly changes: string[] = [];
  /** What is there: the number of each name's state. */
  readonly states = new Map<string, string>();
  readonly #admin: Administrator;
  readonly #path: string;
  #number = 0;

  constructor(admin: Administrator, path: string) {
    this.#admin = admin;
    this.#path = path;
  }

  /** Makes the next change. */
  async change(): Promise<void> {
    const number = this.#number += 1;
    const name = `config-${(number * 7 + Math.floor(number / 5)) % NAMES}`;
    const known = this.states.has(name);
    if (known && number % 4 === 0) return await this.remove(name);
    const object = { metadata: { name, labels: { n: "" } }, data: { n: `${number}` } };
    await (known
      ? this.#admin.send("PATCH", `${this.#path}/${name}`, object, "application/merge-patch+json")
      : this.#admin.send("POST", this.#path, object));
    this.changes.push(`${known ? "MODIFIED" : "ADDED"} ${name} ${number}`);
    this.states.set(name, `${number}`);
  }

  /** Deletes one of them. */
  async remove(name: string): Promise<void> {
    await this.#admin.send("DELETE", `${this.#path}/${name}`);
    this.changes.push(`DELETED ${name} ${this.states.get(name)}`);
    this.states.delete(name);
  }

  /** Deletes all that is there. */
  async clear(): Promise<void> {
    for (const name of this.states.keys()) await this.remove(name);
  }
}
