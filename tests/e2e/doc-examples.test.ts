/** Runs the examples of README.md, of docs/*.md and of every `--help`, with the compiled binary. */

import assert from "node:assert/strict";
import { type Block, blocksOf, helpBlocks, nameOf, PAGES } from "./doc-blocks.ts";
import { ELSEWHERE, PARTICULAR, type Particular } from "./doc-lists.ts";
import type { Home, Room } from "./doc-names.ts";
import { type DocStage, openDocStage, stageAtHand, takesObjects } from "./doc-stage.ts";

const blocks = [...PAGES.flatMap((page) => blocksOf(page)), ...await helpBlocks()];

/** Where a block runs: at the cloud that its page, its section or itself is about. */
function roomOf({ page, heading, text }: Block): Room {
  if (/login .*studio/.test(text)) return "new-at-studio";
  if (page === "docs/studio.md" || /studio|auth team|auth token/.test(heading + text)) return "studio";
  if (/docs\/(?:cloudfleet|docker)\.md/.test(page)) return "cloudfleet";
  if (/-profile|profile[ s]|tokens|clusters|docker/.test(heading) || /CLUSTER_ID/.test(text)) {
    return "cloudfleet";
  }
  if (/^\S*datumctl (?:auth )?login/.test(text)) return "nobody";
  if (/docs\/(?:issuers|setup|from-kubelogin)\.md/.test(page)) return "issuer";
  if (/--server|--cluster\b|k8s\.example|\blogin\.example/.test(text)) return "issuer";
  return /(?:--profile |--session |PROFILE=)(?:work|ci)|staging/.test(text) ? "several" : "datum";
}

/** What runs in one shell: a block, or one line of those whose lines are alternatives. */
interface Piece {
  readonly block: Block;
  readonly room: Room;
  readonly how: Particular;
  /** In a home of its own; else in the one of its section. */
  readonly alone: boolean;
}

/** What is run, in order. Help repeats much of what the pages say, which runs once. */
function piecesOf(blocks: readonly Block[]): Piece[] {
  const seen = new Set<string>();
  return blocks.filter((block) => !(nameOf(block) in ELSEWHERE || block.page in ELSEWHERE)).flatMap(
    (block) => {
      const how = PARTICULAR[nameOf(block)] ?? {};
      const lines = how.alternatives ? block.text.split(/(?<!\\)\n/) : [block.text];
      const help = block.page.endsWith(" --help");
      return lines.flatMap((text): Piece[] => {
        if (help && seen.has(text)) return [];
        for (const line of text.split(/(?<!\\)\n/)) seen.add(line.replace(/\s+#.*/, ""));
        const room = how.room ?? roomOf({ ...block, text });
        const alone = help || how.alternatives === true || ENDS.test(text);
        return [{ block: { ...block, text }, room, how: how.asks?.test(text) === false ? {} : how, alone }];
      });
    },
  );
}

/** What ends a sign-in, for every copy of it. */
const ENDS = /\blogout\b/;

/** Runs pieces one after another; what failed, in words. */
async function runAll(stage: DocStage, pieces: readonly Piece[]): Promise<string[]> {
  const failures: string[] = [];
  let last: { readonly section: string; readonly home: Home } | undefined;
  for (const { block, room, how, alone } of pieces) {
    const section = `${block.page} ${block.heading} ${room}`;
    if (last?.section !== section || alone) {
      last = { section, home: await stage.home(room, ENDS.test(block.text)) };
    }
    const { code, stdout, stderr } = await stage.run(block, last.home, how);
    if (code === 0) continue;
    failures.push(
      `${block.page}, in the home "${room}":\n${block.text}\nended with ${code}: ${stdout}${stderr}`,
    );
  }
  return failures;
}

Deno.test("what is told of single examples is told of examples that are there", () => {
  const names = new Set(blocks.flatMap((block) => [nameOf(block), block.page]));
  for (const name of [...Object.keys(ELSEWHERE), ...Object.keys(PARTICULAR)]) {
    assert.ok(names.has(name), `no such example: ${name}`);
  }
});

Deno.test({
  name: "every example of the documentation and of help runs, and ends as it says",
  ignore: !stageAtHand,
  async fn() {
    await using stage = await openDocStage();
    const pieces = piecesOf(blocks);
    assert.ok(pieces.length > 250, `only ${pieces.length} examples were found`);
    // What looks at the same objects runs one after another; the rest by where somebody is signed in.
    const lanes = Map.groupBy(pieces, ({ block, room }) => takesObjects(block) ? "objects" : room);
    const failures = (await Promise.all([...lanes.values()].map((lane) => runAll(stage, lane)))).flat();
    assert.equal(failures.length, 0, failures.join("\n\n"));
  },
});
