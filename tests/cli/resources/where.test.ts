import assert from "node:assert/strict";
import { commandContext } from "../../../src/cli/context.ts";
import { type NamedPlane, sayWhere } from "../../../src/cli/resources/where.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { recordingHost } from "../run-line.ts";

const PLANE: NamedPlane = {
  what: 'the project "web"',
  host: "api.datum.net",
  actingAs: undefined,
  namespace: "default",
  onlyThatNamespace: false,
};

Deno.test("a write names its control plane where a person reads it", async () => {
  await using sandbox = await openSandbox();
  const said = (
    flags: { quiet?: boolean },
    keys: string[] | undefined,
    plane = PLANE,
    allNamespaces = false,
  ) => {
    const host = recordingHost([], { store: sandbox.store, keys });
    sayWhere(commandContext(host, flags), plane, { allNamespaces });
    assert.equal(host.written.out, "");
    return host.written.err;
  };
  assert.equal(
    said({}, []),
    'in the project "web" of api.datum.net, namespace default unless another is named\n',
  );
  assert.equal(
    said({}, [], { ...PLANE, actingAs: "zoe", onlyThatNamespace: true }),
    'in the project "web" of api.datum.net as zoe, namespace default\n',
  );
  assert.equal(said({ quiet: true }, []), "");
  assert.equal(said({}, undefined), "");
  const platform = {
    ...PLANE,
    what: "the platform api.datum.net",
    namespace: "kube-system",
    onlyThatNamespace: true,
  };
  assert.equal(said({}, [], platform), "in the platform api.datum.net, namespace kube-system\n");
  assert.equal(said({}, [], platform, true), "in the platform api.datum.net, all namespaces\n");
});
